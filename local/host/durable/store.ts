// The durable state: one SQLite file per task hub. Every change is one transaction, called a durable write.
// WAL with synchronous=NORMAL loses nothing when the process is killed: a committed frame is in the operating system's
// hands. Only a power cut may take the last commits back, and takes them back whole.
import { DatabaseSync } from "node:sqlite";

import type { EmbeddedSwitches } from "./options.ts";

const schemaVersion = 1;

const schema = `
  CREATE TABLE instances (
    id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL,
    custom_status TEXT, is_status_written INTEGER NOT NULL DEFAULT 0, output TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, parent TEXT);
  -- Apart from the instance: SQLite rewrites a whole row, and an instance's row is rewritten at every episode.
  CREATE TABLE inputs (instance_id TEXT PRIMARY KEY, input TEXT) WITHOUT ROWID;
  CREATE TABLE history (instance_id TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (instance_id, seq)) WITHOUT ROWID;
  CREATE TABLE inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL);
  CREATE INDEX inbox_by_instance ON inbox (instance_id, seq);
  CREATE TABLE activities (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, task_id INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT NOT NULL);
  CREATE TABLE timers (due INTEGER NOT NULL, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, timer_id INTEGER NOT NULL);
  CREATE INDEX timers_by_due ON timers (due);
  CREATE INDEX timers_by_instance ON timers (instance_id);
  CREATE TABLE entities (id TEXT PRIMARY KEY, state TEXT, updated INTEGER NOT NULL);
`;

export type RuntimeStatus = "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated";

export const terminalStatuses: ReadonlySet<RuntimeStatus> = new Set(["Completed", "Failed", "Terminated"]);

export interface ParentLink {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
}

export interface InstanceRow {
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly status: RuntimeStatus;
  /** JSON text. */
  readonly customStatus: string | null;
  /** Whether this execution has set a custom status; until then it keeps the one before continueAsNew. */
  readonly isStatusWritten: boolean;
  /** JSON text, or the plain text of a failure or a termination. */
  readonly output: string | null;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly updated: number;
  readonly parent: ParentLink | null;
}

export interface InboxRow {
  readonly seq: number;
  readonly executionId: string | null;
  /** JSON text of the history event that the message becomes. */
  readonly event: string;
}

export interface ActivityRow {
  readonly seq: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
}

export interface TimerRow {
  readonly seq: number;
  readonly due: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly timerId: number;
}

export interface InstanceFilter {
  readonly prefix?: string;
  readonly createdFrom?: number;
  readonly createdTo?: number;
  readonly statuses?: readonly string[];
  /** Ids after this one, in order of id. */
  readonly after?: string;
  readonly top: number;
}

export type Store = ReturnType<typeof openStore>;

/**
 * Opens or creates the file and holds it for this process alone until `close`.
 * @param file Path, or ":memory:".
 * @param switches Where to kill the process, for tests of recovery.
 * @throws Error when another process holds the file or a newer version has written it.
 */
export function openStore(file: string, switches: Pick<EmbeddedSwitches, "crashAt" | "crashWhen"> = {}) {
  const db = open(file);
  let writes = 0;

  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");

  /** Runs the changes as one durable write: all of them or none. */
  function write<Result>(change: () => Result): Result {
    begin.run();
    let result: Result;
    try {
      result = change();
    } catch (error) {
      rollback.run();
      throw error;
    }
    writes += 1;
    if (writes === switches.crashAt && switches.crashWhen === "before") process.kill(process.pid, "SIGKILL");
    commit.run();
    if (writes === switches.crashAt) process.kill(process.pid, "SIGKILL");
    return result;
  }

  const instanceColumns = `id, execution_id AS executionId, name, version, status, custom_status AS customStatus,
    is_status_written AS isStatusWritten, output, created, updated, parent`;
  const statements = {
    instance: db.prepare(`SELECT ${instanceColumns} FROM instances WHERE id = ?`),
    input: db.prepare("SELECT input FROM inputs WHERE instance_id = ?"),
    putInstance: db.prepare(`INSERT OR REPLACE INTO instances
      (id, execution_id, name, version, status, custom_status, is_status_written, output, created, updated, parent)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updateInstance: db.prepare(
      `UPDATE instances SET status = ?, custom_status = ?, is_status_written = ?, output = ?, updated = ? WHERE id = ?`,
    ),
    putInput: db.prepare("INSERT OR REPLACE INTO inputs (instance_id, input) VALUES (?, ?)"),
    history: db.prepare("SELECT event FROM history WHERE instance_id = ? ORDER BY seq"),
    appendHistory: db.prepare("INSERT INTO history (instance_id, seq, event) VALUES (?, ?, ?)"),
    clearHistory: db.prepare("DELETE FROM history WHERE instance_id = ?"),
    inbox: db.prepare("SELECT seq, execution_id AS executionId, event FROM inbox WHERE instance_id = ? ORDER BY seq"),
    send: db.prepare("INSERT INTO inbox (instance_id, execution_id, event) VALUES (?, ?, ?)"),
    consume: db.prepare("DELETE FROM inbox WHERE seq = ?"),
    clearInbox: db.prepare("DELETE FROM inbox WHERE instance_id = ?"),
    moveInboxBack: db.prepare(`INSERT INTO inbox (instance_id, execution_id, event)
      SELECT instance_id, execution_id, event FROM inbox WHERE instance_id = ? AND seq < ? ORDER BY seq`),
    dropInboxBefore: db.prepare("DELETE FROM inbox WHERE instance_id = ? AND seq < ?"),
    lastInboxSeq: db.prepare("SELECT max(seq) AS seq FROM inbox WHERE instance_id = ?"),
    waiting: db.prepare("SELECT DISTINCT instance_id AS id FROM inbox"),
    addActivity: db.prepare(
      "INSERT INTO activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)",
    ),
    removeActivity: db.prepare("DELETE FROM activities WHERE seq = ?"),
    activitiesAfter:
      db.prepare(`SELECT seq, instance_id AS instanceId, execution_id AS executionId, task_id AS taskId, name, input
      FROM activities WHERE seq > ? ORDER BY seq LIMIT ?`),
    addTimer: db.prepare("INSERT INTO timers (due, instance_id, execution_id, timer_id) VALUES (?, ?, ?, ?)"),
    removeTimer: db.prepare("DELETE FROM timers WHERE rowid = ?"),
    clearTimers: db.prepare("DELETE FROM timers WHERE instance_id = ?"),
    nextDue: db.prepare("SELECT min(due) AS due FROM timers"),
    dueTimers:
      db.prepare(`SELECT rowid AS seq, due, instance_id AS instanceId, execution_id AS executionId, timer_id AS timerId
      FROM timers WHERE due <= ? ORDER BY due LIMIT 1000`),
    entity: db.prepare("SELECT id, state, updated FROM entities WHERE id = ?"),
    entities: db.prepare("SELECT id, state, updated FROM entities WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"),
    putEntity: db.prepare("INSERT OR REPLACE INTO entities (id, state, updated) VALUES (?, ?, ?)"),
    removeEntity: db.prepare("DELETE FROM entities WHERE id = ?"),
    removeInstance: db.prepare("DELETE FROM instances WHERE id = ?"),
    removeInput: db.prepare("DELETE FROM inputs WHERE instance_id = ?"),
  };

  function listInstances(filter: InstanceFilter): InstanceRow[] {
    const conditions = ["id > ?", "id >= ?", "id < ?", "created >= ?", "created <= ?"];
    const prefix = filter.prefix ?? "";
    const parameters: (string | number)[] = [
      filter.after ?? "",
      prefix,
      `${prefix}\u{10ffff}`,
      filter.createdFrom ?? 0,
      filter.createdTo ?? Number.MAX_SAFE_INTEGER,
    ];
    if (filter.statuses !== undefined) {
      conditions.push(`status IN (${filter.statuses.map(() => "?").join(", ")})`);
      parameters.push(...filter.statuses);
    }
    const sql = `SELECT ${instanceColumns} FROM instances WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT ?`;
    return db
      .prepare(sql)
      .all(...parameters, filter.top)
      .map(toInstance);
  }

  return {
    write,
    writes: () => writes,
    close: () => db.close(),

    instance: (id: string): InstanceRow | undefined => {
      const row = statements.instance.get(id);
      return row === undefined ? undefined : toInstance(row);
    },
    /** JSON text, or null. */
    input: (id: string) => (statements.input.get(id) as { input: string | null } | undefined)?.input ?? null,
    listInstances,
    putInstance: (row: InstanceRow, input: string | null) => {
      const { id, executionId, name, version, status, customStatus, isStatusWritten, output, created, updated } = row;
      const parent = row.parent === null ? null : JSON.stringify(row.parent);
      statements.putInstance.run(
        id,
        executionId,
        name,
        version,
        status,
        customStatus,
        Number(isStatusWritten),
        output,
        created,
        updated,
        parent,
      );
      statements.putInput.run(id, input);
    },
    updateInstance: (row: InstanceRow) => {
      statements.updateInstance.run(
        row.status,
        row.customStatus,
        Number(row.isStatusWritten),
        row.output,
        row.updated,
        row.id,
      );
    },
    /** Everything an instance left behind, its row too. */
    removeInstance: (id: string) => {
      for (const name of ["removeInstance", "removeInput", "clearHistory", "clearInbox", "clearTimers"] as const)
        statements[name].run(id);
    },

    history: (id: string): string[] => statements.history.all(id).map((row) => String(row["event"])),
    appendHistory: (id: string, from: number, events: readonly string[]) => {
      for (const [index, event] of events.entries()) statements.appendHistory.run(id, from + index, event);
    },
    clearHistory: (id: string) => void statements.clearHistory.run(id),

    inbox: (id: string) => statements.inbox.all(id) as unknown as InboxRow[],
    send: (id: string, executionId: string | null, event: string) => void statements.send.run(id, executionId, event),
    consume: (rows: readonly InboxRow[]) => {
      for (const { seq } of rows) statements.consume.run(seq);
    },
    clearInbox: (id: string) => void statements.clearInbox.run(id),
    /** Puts what lies in an inbox behind the messages that `send` adds meanwhile. */
    sendFirst: (id: string, send: () => void) => {
      const last = (statements.lastInboxSeq.get(id)?.["seq"] as number | null) ?? 0;
      send();
      if (last === 0) return;
      statements.moveInboxBack.run(id, last + 1);
      statements.dropInboxBefore.run(id, last + 1);
    },
    /** Ids of the instances and entities with messages. */
    waiting: (): string[] => statements.waiting.all().map((row) => String(row["id"])),

    addActivity: (row: Omit<ActivityRow, "seq">) => {
      statements.addActivity.run(row.instanceId, row.executionId, row.taskId, row.name, row.input);
    },
    removeActivity: (seq: number) => void statements.removeActivity.run(seq),
    activitiesAfter: (seq: number, limit: number) =>
      statements.activitiesAfter.all(seq, limit) as unknown as ActivityRow[],

    addTimer: (row: Omit<TimerRow, "seq">) =>
      void statements.addTimer.run(row.due, row.instanceId, row.executionId, row.timerId),
    removeTimer: (seq: number) => void statements.removeTimer.run(seq),
    clearTimers: (id: string) => void statements.clearTimers.run(id),
    nextDue: () => (statements.nextDue.get()?.["due"] ?? undefined) as number | undefined,
    dueTimers: (now: number) => statements.dueTimers.all(now) as unknown as TimerRow[],

    entity: (id: string) => statements.entity.get(id) as unknown as EntityRow | undefined,
    entities: (prefix: string, top: number) =>
      statements.entities.all(prefix, `${prefix}\u{10ffff}`, top) as unknown as EntityRow[],
    putEntity: (id: string, state: string | null, updated: number) => void statements.putEntity.run(id, state, updated),
    removeEntity: (id: string) => void statements.removeEntity.run(id),
  };
}

interface EntityRow {
  readonly id: string;
  /** JSON text. */
  readonly state: string | null;
  readonly updated: number;
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // The lock makes this process the only one, so that a row held in memory is leased.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    db.exec("BEGIN EXCLUSIVE");
    const found = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (found > schemaVersion)
      throw new Error(
        `a newer version wrote it (schema ${found}, this is ${schemaVersion}): update, or use another file`,
      );
    if (found === 0) db.exec(`${schema}; PRAGMA user_version = ${schemaVersion}`);
    db.exec("COMMIT");
    return db;
  } catch (error) {
    db.close();
    const isLocked = error instanceof Error && error.message.includes("locked");
    throw new Error(
      `Durable state ${file}: ${isLocked ? "another process holds it; stop that one first" : (error as Error).message}`,
      { cause: error },
    );
  }
}

function toInstance(row: Record<string, unknown>): InstanceRow {
  const text = row["parent"] as string | null;
  const parent = text === null ? null : (JSON.parse(text) as ParentLink);
  return { ...(row as unknown as InstanceRow), isStatusWritten: row["isStatusWritten"] === 1, parent };
}
