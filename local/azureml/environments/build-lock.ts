// One build of an environment at a time, across processes. A builder that died is told from a live one by its pid and
// start time. The lock only saves work: publishing a finished build is atomic by itself.
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, startTimeOf } from "../executor/process-table.ts";

interface Holder {
  readonly pid: number;
  readonly startTime: string;
  /** Folder the holder builds in, removed by whoever takes over from it. */
  readonly folder: string;
}

export interface LockRequest {
  readonly path: string;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Called once, with the pid, when somebody else holds the lock. */
  readonly onWait: (pid: number) => void;
  /** Whether what the holder builds is there; ends the waiting. */
  readonly isDone: () => Promise<boolean>;
}

/** Waits for the lock. Resolves its release, or undefined when the holder finished the work meanwhile. */
export async function takeBuildLock(request: LockRequest): Promise<(() => Promise<void>) | undefined> {
  const { path, folder, signal, onWait, isDone } = request;
  const own: Holder = {
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? "",
    folder,
  };
  const draft = `${folder}.lock`;
  let hasTold = false;
  await writeFile(draft, JSON.stringify(own));
  try {
    for (;;) {
      signal.throwIfAborted();
      if (await tryLink(draft, path)) return () => rm(path, { force: true });
      const holder = await readHolder(path);
      if (holder !== undefined && !(await isAlive(holder.pid, holder.startTime))) {
        await takeOver(path, draft, holder);
        continue;
      }
      if (await isDone()) return undefined;
      if (!hasTold && holder !== undefined) onWait(holder.pid);
      hasTold = true;
      await sleep(250, undefined, { signal });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Moves the dead holder's lock away; a live one that came in between is put back. */
async function takeOver(path: string, draft: string, dead: Holder): Promise<void> {
  const aside = `${draft}.dead`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readHolder(aside);
  if (moved !== undefined && (moved.pid !== dead.pid || moved.startTime !== dead.startTime))
    await link(aside, path).catch(() => undefined);
  else await rm(dead.folder, { recursive: true, force: true });
  await rm(aside, { force: true });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    // Written by `takeBuildLock` above and linked whole.
    return JSON.parse(text) as Holder;
  } catch {
    return { pid: 0, startTime: "", folder: `${path}.none` };
  }
}
