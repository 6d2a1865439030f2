import type { Store } from "./store.ts";

export type JobStatus =
  | "NotStarted"
  | "Starting"
  | "Provisioning"
  | "Queued"
  | "Preparing"
  | "Running"
  | "Finalizing"
  | "CancelRequested"
  | "Completed"
  | "Failed"
  | "Canceled";

const terminalStatuses = ["Completed", "Failed", "Canceled"] as const satisfies readonly JobStatus[];

export function isTerminal(status: JobStatus): boolean {
  return terminalStatuses.some((terminal) => terminal === status);
}

/** Why a job ended otherwise than `Completed`; shown by the run history, never by the job itself. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly exitCode?: number;
}

/** The `properties` of a job as its kind normalised them: JSON, defaults filled in. */
export type JobProperties = Readonly<Record<string, unknown>> & {
  readonly jobType: string;
  readonly displayName: string;
  readonly experimentName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly isArchived: boolean;
};

export interface JobRecord {
  readonly seq: number;
  readonly name: string;
  readonly status: JobStatus;
  readonly experimentId: string;
  readonly properties: JobProperties;
  /** The executor has been asked to run it, now or before a restart. */
  readonly hasStarted: boolean;
  readonly statuses: readonly { readonly status: JobStatus; readonly at: string }[];
  readonly failure?: JobFailure;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly modifiedAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

interface JobRow {
  seq: number;
  name: string;
  status: JobStatus;
  experimentId: string;
  properties: string;
  hasStarted: number;
  statuses: string;
  failure: string | null;
  createdAt: string;
  modifiedAt: string;
  startedAt: string | null;
  endedAt: string | null;
}

function toRecord(row: JobRow): JobRecord {
  return {
    seq: row.seq,
    name: row.name,
    status: row.status,
    experimentId: row.experimentId,
    properties: JSON.parse(row.properties),
    hasStarted: row.hasStarted === 1,
    statuses: JSON.parse(row.statuses),
    ...(row.failure === null ? {} : { failure: JSON.parse(row.failure) }),
    createdAt: row.createdAt,
    modifiedAt: row.modifiedAt,
    ...(row.startedAt === null ? {} : { startedAt: row.startedAt }),
    ...(row.endedAt === null ? {} : { endedAt: row.endedAt }),
  };
}

interface JobFilter {
  readonly listViewType?: string;
  readonly jobType?: string;
  /** Key of a tag, or `key=value`. */
  readonly tag?: string;
  /** Only jobs older than this `seq`: the place the page before ended. */
  readonly before?: number;
  readonly limit: number;
}

export interface JobStore {
  get(name: string): JobRecord | undefined;
  insert(job: { name: string; experimentId: string; properties: JobProperties }): JobRecord;
  replaceProperties(name: string, properties: JobProperties): void;
  /** Adds `status` to the job's history; sets start and end times when it is `Running` or terminal. */
  setStatus(name: string, status: JobStatus, failure?: JobFailure): void;
  markStarted(name: string): void;
  list(filter: JobFilter): JobRecord[];
  /** Jobs that have not ended, those already started first, then by age. */
  unfinished(): JobRecord[];
  delete(name: string): void;
}

export function createJobStore(store: Store): JobStore {
  const get = (name: string): JobRecord | undefined => {
    const row = store.get<JobRow>("SELECT * FROM jobs WHERE name = ?", name);
    return row === undefined ? undefined : toRecord(row);
  };
  return {
    get,
    insert({ name, experimentId, properties }) {
      const now = new Date().toISOString();
      const statuses = JSON.stringify([{ status: "NotStarted", at: now }]);
      const row = store.get<JobRow>(
        `INSERT INTO jobs (name, status, experimentId, properties, isArchived, statuses, createdAt, modifiedAt)
         VALUES (?, 'NotStarted', ?, ?, ?, ?, ?, ?) RETURNING *`,
        name,
        experimentId,
        JSON.stringify(properties),
        properties.isArchived ? 1 : 0,
        statuses,
        now,
        now,
      );
      if (row === undefined) throw new Error(`job ${name} was not written`);
      return toRecord(row);
    },
    replaceProperties(name, properties) {
      store.run(
        "UPDATE jobs SET properties = ?, isArchived = ?, modifiedAt = ? WHERE name = ?",
        JSON.stringify(properties),
        properties.isArchived ? 1 : 0,
        new Date().toISOString(),
        name,
      );
    },
    setStatus(name, status, failure) {
      const now = new Date().toISOString();
      store.run(
        `UPDATE jobs SET status = ?1, modifiedAt = ?2,
           statuses = json_insert(statuses, '$[#]', json_object('status', ?1, 'at', ?2)),
           failure = coalesce(?3, failure),
           startedAt = CASE WHEN ?1 = 'Running' THEN coalesce(startedAt, ?2) ELSE startedAt END,
           endedAt = CASE WHEN ?4 THEN ?2 ELSE endedAt END
         WHERE name = ?5`,
        status,
        now,
        failure === undefined ? null : JSON.stringify(failure),
        isTerminal(status) ? 1 : 0,
        name,
      );
    },
    markStarted(name) {
      store.run("UPDATE jobs SET hasStarted = 1 WHERE name = ?", name);
    },
    list({ listViewType = "ActiveOnly", jobType, tag, before, limit }) {
      const [tagKey, tagValue] = tag === undefined ? [] : splitTag(tag);
      return store
        .all<JobRow>(
          `SELECT * FROM jobs
           WHERE (?1 = 'All' OR isArchived = (?1 = 'ArchivedOnly'))
             AND (?2 IS NULL OR json_extract(properties, '$.jobType') = ?2)
             AND (?3 IS NULL OR EXISTS (
               SELECT 1 FROM json_each(properties, '$.tags') AS tag WHERE tag.key = ?3 AND (?4 IS NULL OR tag.value = ?4)))
             AND (?5 IS NULL OR seq < ?5)
           ORDER BY seq DESC LIMIT ?6`,
          listViewType,
          jobType ?? null,
          tagKey ?? null,
          tagValue ?? null,
          before ?? null,
          limit,
        )
        .map(toRecord);
    },
    unfinished() {
      return store
        .all<JobRow>(
          "SELECT * FROM jobs WHERE status NOT IN ('Completed', 'Failed', 'Canceled') ORDER BY hasStarted DESC, seq",
        )
        .map(toRecord);
    },
    delete(name) {
      store.run("DELETE FROM jobs WHERE name = ?", name);
    },
  };
}

function splitTag(tag: string): [string, string?] {
  const at = tag.indexOf("=");
  return at < 0 ? [tag] : [tag.slice(0, at), tag.slice(at + 1)];
}
