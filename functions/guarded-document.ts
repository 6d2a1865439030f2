// One small document that many change at once: written only as it was read, and changes of this process that come together are
// written together.
import { setTimeout as sleep } from "node:timers/promises";
import type { Records } from "#shared/azure/records.ts";
import { MlpipeError } from "#shared/errors.ts";

export type GuardedRecords = Pick<Records, "read" | "replace">;

/** Writers that may get in between before a change is given up for this time. */
const mostTries = 20;
/** The longest pause before another try, in milliseconds. */
const longestPauseMs = 200;

interface Waiting<T> {
  readonly apply: (document: T) => { document: T; done: () => void };
  readonly reject: (error: unknown) => void;
}

/** @param read makes the document of its text; of undefined when there is none yet */
export function createGuardedDocument<T>(
  records: GuardedRecords,
  path: string,
  read: (text: string | undefined) => T,
  pause: (ms: number) => Promise<unknown> = sleep,
) {
  let queue: Waiting<T>[] = [];
  let isWriting = false;

  async function write(batch: readonly Waiting<T>[]): Promise<void> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      if (tries > 0) await pause(Math.random() * Math.min(longestPauseMs, 2 ** tries));
      const found = await records.read(path);
      const before = read(found?.text);
      let document = before;
      const answers = batch.map(({ apply }) => {
        const applied = apply(document);
        document = applied.document;
        return applied.done;
      });
      if (document !== before && !(await records.replace(path, JSON.stringify(document), found?.etag))) continue;
      for (const done of answers) done();
      return;
    }
    throw new MlpipeError("Unavailable", "Too many others write the same document at this moment", {
      retryAfterSeconds: 2,
    });
  }

  async function drain(): Promise<void> {
    isWriting = true;
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      await write(batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error);
      });
    }
    isWriting = false;
  }

  return {
    /** Whether nobody waits for a change to be written. */
    isIdle: () => !isWriting,

    /**
     * @param change may run several times, on what others have written meanwhile; the document itself changes nothing
     * @throws MlpipeError `Unavailable` when too many others write
     */
    change<A>(change: (document: T) => { document: T; answer: A }): Promise<A> {
      return new Promise((resolve, reject) => {
        const apply = (before: T) => {
          const { document, answer } = change(before);
          return { document, done: () => resolve(answer) };
        };
        queue.push({ apply, reject });
        if (!isWriting) void drain();
      });
    },
  };
}
