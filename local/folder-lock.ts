// Who works in a folder. The lock is the file system's own (through SQLite), so it dies with its holder however that
// ends: nothing is ever stale, and a reused process id means nothing.
import { DatabaseSync } from "node:sqlite";

export interface FolderLock {
  release(): void;
}

const sqliteBusy = 5;

/**
 * Takes the lock kept in `file`, waiting up to `waitMs` (and blocking the process) for another holder to let go.
 * Returns undefined when someone else keeps it.
 */
export function takeFolderLock(file: string, waitMs = 0): FolderLock | undefined {
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === sqliteBusy) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
