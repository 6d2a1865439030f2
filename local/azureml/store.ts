// The workspace's one database. WAL with synchronous=NORMAL: what was committed outlives a kill of this process.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  experimentId TEXT NOT NULL,
  properties TEXT NOT NULL,
  isArchived INTEGER NOT NULL DEFAULT 0,
  hasStarted INTEGER NOT NULL DEFAULT 0,
  statuses TEXT NOT NULL,
  failure TEXT,
  createdAt TEXT NOT NULL,
  modifiedAt TEXT NOT NULL,
  startedAt TEXT,
  endedAt TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS jobsByStatus ON jobs (status);
CREATE TABLE IF NOT EXISTS resources (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL DEFAULT '',
  properties TEXT NOT NULL,
  secrets TEXT,
  isArchived INTEGER NOT NULL DEFAULT 0,
  createdAt TEXT NOT NULL,
  modifiedAt TEXT NOT NULL,
  UNIQUE (kind, name, version)
) STRICT;
CREATE TABLE IF NOT EXISTS experiments (
  experimentId TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  tags TEXT NOT NULL DEFAULT '{}',
  createdMs INTEGER NOT NULL,
  updatedMs INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  runId TEXT NOT NULL UNIQUE,
  experimentId TEXT NOT NULL,
  runName TEXT NOT NULL,
  userId TEXT NOT NULL,
  status TEXT NOT NULL,
  startMs INTEGER,
  endMs INTEGER,
  isDeleted INTEGER NOT NULL DEFAULT 0,
  owner TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS runsByExperiment ON runs (experimentId);
CREATE TABLE IF NOT EXISTS metrics (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  runId TEXT NOT NULL,
  key TEXT NOT NULL,
  value REAL,
  timestampMs INTEGER NOT NULL,
  step INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS metricsByRun ON metrics (runId, key, step, timestampMs, id);
CREATE TABLE IF NOT EXISTS params (runId TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (runId, key)) STRICT;
CREATE TABLE IF NOT EXISTS tags (runId TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (runId, key)) STRICT;
CREATE TABLE IF NOT EXISTS runInputs (id INTEGER PRIMARY KEY AUTOINCREMENT, runId TEXT NOT NULL, dataset TEXT NOT NULL) STRICT;
`;

export interface Store {
  /** First row of a statement, its columns typed by the caller, who wrote the SQL beside the type. */
  get<Row>(sql: string, ...parameters: SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[];
  /** @returns How many rows changed and the last row id. */
  run(sql: string, ...parameters: SQLInputValue[]): { changes: number; lastId: number };
  /** Runs `body` in one transaction; nested calls join the outer one. */
  transaction<T>(body: () => T): T;
  /** A value made once and kept. */
  remember(key: string, make: () => string): string;
  close(): void;
}

/**
 * Opens (or makes) `workspace.db` in a folder that only its owner can read: the database holds datastore keys.
 * @throws Error when another process holds the database for longer than five seconds.
 */
export function openStore(folder: string): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, "workspace.db"), { timeout: 5000 });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  database.exec(schema);

  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const prepare = (sql: string) => {
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  let depth = 0;
  const transaction = <T>(body: () => T): T => {
    if (depth > 0) return body();
    database.exec("BEGIN IMMEDIATE");
    depth += 1;
    try {
      const result = body();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    } finally {
      depth -= 1;
    }
  };

  const store: Store = {
    // Each caller names the columns it selects, so the shape is proved where the SQL is read.
    get: <Row>(sql: string, ...parameters: SQLInputValue[]) => prepare(sql).get(...parameters) as Row | undefined,
    all: <Row>(sql: string, ...parameters: SQLInputValue[]) => prepare(sql).all(...parameters) as Row[],
    run(sql, ...parameters) {
      const { changes, lastInsertRowid } = prepare(sql).run(...parameters);
      return { changes: Number(changes), lastId: Number(lastInsertRowid) };
    },
    transaction,
    remember(key, make) {
      store.run("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", key, make());
      return store.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)?.value ?? "";
    },
    close() {
      database.close();
    },
  };
  return store;
}
