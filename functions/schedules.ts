// Schedules as they are kept: one small document each, `mlpipe/schedules/{name}.json`, which holds what the author wrote and how
// far it has come. Every change is a compare-and-swap on its ETag, so any number of hosts may look after the same schedule.
import type { Records } from "#shared/azure/records.ts";
import { ScheduleRecord, scheduleFolder, schedulePath } from "#shared/domain/schedule/schedule-record.ts";
import { MlpipeError } from "#shared/errors.ts";

/** Writers that meet on one schedule are few: whoever loses this often gives up. */
const longestContest = 20;

export type ScheduleStore = Pick<Records, "read" | "replace" | "remove" | "page">;
export type Schedules = ReturnType<typeof createSchedules>;

export function createSchedules(records: ScheduleStore) {
  /** By path: most schedules are the same from one minute to the next. */
  const known = new Map<string, { version: string; record: ScheduleRecord }>();

  async function read(name: string): Promise<{ record: ScheduleRecord; etag: string } | undefined> {
    const found = await records.read(schedulePath(name));
    return found === undefined ? undefined : { record: parse(name, found.text), etag: found.etag };
  }

  async function readListed(path: string, version: string): Promise<ScheduleRecord | undefined> {
    const cached = known.get(path);
    if (cached?.version === version) return cached.record;
    const found = await records.read(path);
    if (found === undefined) return undefined;
    const record = parse(path, found.text);
    known.set(path, { version, record });
    return record;
  }

  return {
    async find(name: string): Promise<ScheduleRecord | undefined> {
      return (await read(name))?.record;
    },

    /** @throws MlpipeError `NotFound` */
    async get(name: string): Promise<ScheduleRecord> {
      const found = await read(name);
      if (found === undefined) throw new MlpipeError("NotFound", `There is no schedule ${name}`);
      return found.record;
    },

    /** Every schedule, by name. */
    async list(): Promise<ScheduleRecord[]> {
      const all: ScheduleRecord[] = [];
      const paths = new Set<string>();
      let continuation: string | undefined;
      do {
        const page = await records.page(scheduleFolder, 1_000, continuation);
        for (const { path, version } of page.entries) {
          paths.add(path);
          const record = await readListed(path, version);
          if (record !== undefined) all.push(record);
        }
        continuation = page.continuation;
      } while (continuation !== undefined);
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
      return all;
    },

    /**
     * Changes a schedule, whoever else changes it at the same time.
     *
     * @param change from the record as it is to the record as it shall be; the same object, or undefined, changes nothing. It
     *   may be asked several times and must do nothing else.
     * @returns the record as it is afterwards, undefined when there is none
     * @throws MlpipeError `Unavailable` when others are always faster
     */
    async change(
      name: string,
      change: (record: ScheduleRecord | undefined) => ScheduleRecord | undefined | Promise<ScheduleRecord | undefined>,
    ): Promise<ScheduleRecord | undefined> {
      for (let round = 0; round < longestContest; round += 1) {
        const before = await read(name);
        const after = await change(before?.record);
        if (after === undefined || after === before?.record) return before?.record;
        if (await records.replace(schedulePath(name), JSON.stringify(after), before?.etag)) return after;
      }
      throw new MlpipeError("Unavailable", `Schedule ${name} is being changed by others all the time`);
    },

    /** @returns false when there was none */
    remove: (name: string) => records.remove(schedulePath(name)),
  };
}

function parse(what: string, text: string): ScheduleRecord {
  const parsed = ScheduleRecord.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new MlpipeError("Internal", `The record of schedule ${what} cannot be read`, { cause: parsed.error });
}
