// Everything of the workspace that is not a job: asset containers and versions, datastores, computes, schedules.
import type { Store } from "./store.ts";

export interface Resource {
  readonly seq: number;
  readonly name: string;
  /** Empty for a container, and for kinds that have no versions. */
  readonly version: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly modifiedAt: string;
}

interface ResourceRow {
  seq: number;
  name: string;
  version: string;
  properties: string;
  secrets: string | null;
  createdAt: string;
  modifiedAt: string;
}

function toResource(row: ResourceRow): Resource {
  return {
    seq: row.seq,
    name: row.name,
    version: row.version,
    properties: JSON.parse(row.properties),
    ...(row.secrets === null ? {} : { secrets: JSON.parse(row.secrets) }),
    createdAt: row.createdAt,
    modifiedAt: row.modifiedAt,
  };
}

interface ResourceKey {
  readonly kind: string;
  readonly name: string;
  readonly version?: string;
}

interface PutOptions {
  readonly secrets?: Readonly<Record<string, unknown>>;
  /** Left out of lists of active ones; `properties.isArchived` when absent. */
  readonly isArchived?: boolean;
}

interface ResourceFilter {
  /** Versions of this name; absent lists containers (and kinds without versions). */
  readonly name?: string;
  readonly listViewType?: string;
  readonly isOldestFirst?: boolean;
  /** `seq` the page before ended at. */
  readonly after?: number;
  readonly limit: number;
}

export interface ResourceStore {
  get(key: ResourceKey): Resource | undefined;
  /** Writes the whole resource, whether it was there or not; secrets that are not given stay as they were. */
  put(key: ResourceKey, properties: Readonly<Record<string, unknown>>, options?: PutOptions): Resource;
  list(kind: string, filter: ResourceFilter): Resource[];
  /** The version made last, archived ones left out. */
  latest(kind: string, name: string): Resource | undefined;
  /** One above the highest whole number among the versions; 1 when there is none. */
  nextVersion(kind: string, name: string): string;
  /** Removes the resource, a container with all its versions. @returns Whether it was there. */
  delete(key: ResourceKey): boolean;
}

export function createResourceStore(store: Store): ResourceStore {
  return {
    get({ kind, name, version = "" }) {
      const row = store.get<ResourceRow>(
        "SELECT * FROM resources WHERE kind = ? AND name = ? AND version = ?",
        kind,
        name,
        version,
      );
      return row === undefined ? undefined : toResource(row);
    },
    put({ kind, name, version = "" }, properties, { secrets, isArchived = properties["isArchived"] === true } = {}) {
      const now = new Date().toISOString();
      const row = store.get<ResourceRow>(
        `INSERT INTO resources (kind, name, version, properties, secrets, isArchived, createdAt, modifiedAt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
         ON CONFLICT (kind, name, version) DO UPDATE SET properties = excluded.properties,
           secrets = coalesce(excluded.secrets, secrets), isArchived = excluded.isArchived, modifiedAt = excluded.modifiedAt
         RETURNING *`,
        kind,
        name,
        version,
        JSON.stringify(properties),
        secrets === undefined ? null : JSON.stringify(secrets),
        isArchived ? 1 : 0,
        now,
      );
      if (row === undefined) throw new Error(`${kind} ${name} was not written`);
      return toResource(row);
    },
    list(kind, { name, listViewType = "ActiveOnly", isOldestFirst = false, after, limit }) {
      const order = isOldestFirst ? "ASC" : "DESC";
      return store
        .all<ResourceRow>(
          `SELECT * FROM resources WHERE kind = ?1
             AND (CASE WHEN ?2 IS NULL THEN version = '' ELSE version <> '' AND name = ?2 END)
             AND (?3 = 'All' OR isArchived = (?3 = 'ArchivedOnly'))
             AND (?4 IS NULL OR CASE WHEN ?5 THEN seq > ?4 ELSE seq < ?4 END)
           ORDER BY seq ${order} LIMIT ?6`,
          kind,
          name ?? null,
          listViewType,
          after ?? null,
          isOldestFirst ? 1 : 0,
          limit,
        )
        .map(toResource);
    },
    latest(kind, name) {
      const row = store.get<ResourceRow>(
        "SELECT * FROM resources WHERE kind = ? AND name = ? AND version <> '' AND isArchived = 0 ORDER BY seq DESC LIMIT 1",
        kind,
        name,
      );
      return row === undefined ? undefined : toResource(row);
    },
    nextVersion(kind, name) {
      const row = store.get<{ highest: number | null }>(
        `SELECT max(CAST(version AS INTEGER)) AS highest FROM resources
         WHERE kind = ? AND name = ? AND version <> '' AND version NOT GLOB '*[^0-9]*'`,
        kind,
        name,
      );
      return String((row?.highest ?? 0) + 1);
    },
    delete({ kind, name, version }) {
      const { changes } =
        version === undefined
          ? store.run("DELETE FROM resources WHERE kind = ? AND name = ?", kind, name)
          : store.run("DELETE FROM resources WHERE kind = ? AND name = ? AND version = ?", kind, name, version);
      return changes > 0;
    },
  };
}
