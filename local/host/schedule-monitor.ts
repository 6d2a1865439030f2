// When each timer last ran and when it is due, so that a start after the due time makes up for it.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as Sqlite from "node:sqlite";

export interface ScheduleStatus {
  /** The expression it was made from: another one makes it void. */
  readonly schedule: string;
  readonly last: Date | undefined;
  readonly next: Date;
  readonly lastUpdated: Date;
}

export interface ScheduleMonitor {
  get(functionName: string): ScheduleStatus | undefined;
  set(functionName: string, status: ScheduleStatus): void;
  close(): void;
}

/** @param file created with its folder when missing */
export function createScheduleMonitor(file: string): ScheduleMonitor {
  mkdirSync(dirname(file), { recursive: true });
  // Loaded here: an app without timers should not pay for it.
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite") as typeof Sqlite;
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
  db.exec(
    "CREATE TABLE IF NOT EXISTS schedule_status (function TEXT PRIMARY KEY, schedule TEXT NOT NULL, last INTEGER, next INTEGER NOT NULL, updated INTEGER NOT NULL) STRICT",
  );
  const select = db.prepare("SELECT schedule, last, next, updated FROM schedule_status WHERE function = ?");
  const upsert = db.prepare(
    "INSERT OR REPLACE INTO schedule_status (function, schedule, last, next, updated) VALUES (?, ?, ?, ?, ?)",
  );
  return {
    get(functionName) {
      const row = select.get(functionName);
      if (row === undefined) return undefined;
      return {
        schedule: String(row["schedule"]),
        last: row["last"] === null ? undefined : new Date(Number(row["last"])),
        next: new Date(Number(row["next"])),
        lastUpdated: new Date(Number(row["updated"])),
      };
    },
    set(functionName, { schedule, last, next, lastUpdated }) {
      // A run that outlived the stop is made up for at the next start.
      if (!db.isOpen) return;
      upsert.run(functionName, schedule, last?.getTime() ?? null, next.getTime(), lastUpdated.getTime());
    },
    close() {
      db.close();
    },
  };
}
