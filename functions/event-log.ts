// The record of uploads and arrivals: written once, read newest first, dropped day by day.
import type { Records } from "#shared/azure/records.ts";
import {
  decodeEntry,
  encodeEntry,
  endOfLogDay,
  entryKey,
  type LogEntry,
  logFolder,
  logPath,
} from "#shared/domain/dataset/event-log.ts";
import { textHash } from "#shared/domain/text-hash.ts";

/** Entries that one tick removes at most. */
const removedAtOnce = 5_000;
const removalsAtOnce = 16;
/** A storage account's clock is near ours; an event of next year is made up. */
const aheadMs = 10 * 60_000;

export type EventLog = ReturnType<typeof createEventLog>;

export function createEventLog({ records }: { records: Records }) {
  async function add(entry: LogEntry, key: string): Promise<boolean> {
    const time = Math.min(Date.parse(entry.time), Date.now() + aheadMs);
    const told = { ...entry, time: new Date(time).toISOString() };
    return records.replace(logPath(time, key), "", undefined, { [entryKey]: encodeEntry(told) });
  }

  return {
    /**
     * @param key the same for the same thing told twice
     * @returns false when it is on record already
     */
    add,

    /** The same for what has no name of its own but what it says. */
    async note(entry: LogEntry): Promise<void> {
      await add(entry, (await textHash(JSON.stringify(entry))).slice(0, 20));
    },

    /** A page, newest first. */
    async page(limit: number, continuation?: string) {
      const page = await records.page(logFolder, limit, continuation);
      return {
        entries: page.entries.flatMap(({ metadata }) => decodeEntry(metadata[entryKey]) ?? []),
        ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
      };
    },

    /** Removes whole days that ended before `before` (milliseconds). @returns how many entries went */
    async prune(before: number): Promise<number> {
      let removed = 0;
      for (const day of await records.folders(logFolder)) {
        const end = endOfLogDay(day);
        if (end === undefined || end > before) continue;
        while (removed < removedAtOnce) {
          const { entries } = await records.page(`${logFolder}${day}/`, 500);
          if (entries.length === 0) break;
          for (let start = 0; start < entries.length; start += removalsAtOnce) {
            await Promise.all(entries.slice(start, start + removalsAtOnce).map(({ path }) => records.remove(path)));
          }
          removed += entries.length;
        }
      }
      return removed;
    },
  };
}
