// A small world for schedules: a store with ETags, runs that last as long as they are told, and a host that can be killed at any
// call to either, before the call has taken effect or after.
import { fireSchedule, type StartingFire } from "#functions/fire-schedule.ts";
import { createSchedules, type ScheduleStore } from "#functions/schedules.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Schedule } from "#shared/domain/schedule/schedule.ts";
import { type Fire, newRecord, schedulePath } from "#shared/domain/schedule/schedule-record.ts";

export const minuteMs = 60_000;

class Killed extends Error {}

/** When the host dies: at its n-th call, before or after the call's effect. */
export interface Kill {
  readonly at: number;
  readonly isAfter: boolean;
}

export interface WorldOptions {
  readonly startTime: string;
  /** Minutes that a run lasts. */
  readonly runMinutes?: number;
  /** Is asked before every start; throws to refuse it. */
  readonly onStart?: (fire: StartingFire, now: number) => void;
  /** Is awaited before every call, so that hosts take turns. */
  readonly turn?: () => Promise<void>;
}

export const schedule = (changes: Partial<Schedule> = {}): Schedule => ({
  name: "nightly",
  tags: {},
  trigger: { type: "cron", expression: "*/10 * * * *", timeZone: "UTC", startTime: "2026-01-01T00:00:00Z" },
  overlap: "skip",
  catchUp: "last",
  maxCatchUp: 10,
  createJob: { pipeline: { kind: "named", name: "p" }, inputs: {}, outputs: {}, settings: {}, tags: {} },
  ...changes,
});

export type World = ReturnType<typeof createWorld>;

export function createWorld(written: Schedule, { startTime, runMinutes = 3, onStart, turn }: WorldOptions) {
  const stored = new Map<string, { text: string; etag: string }>();
  /** Every run that was made, with when it ends. */
  const runs = new Map<string, { tick: string; started: number; ends: number; starts: number }>();
  const clock = { now: Date.parse(startTime) };
  let tags = 0;
  let calls = 0;

  const first = newRecord(written, "hash", "registered", clock.now);
  stored.set(schedulePath(written.name), { text: JSON.stringify(first), etag: "0" });

  /** One host: a count of calls of its own, and perhaps a death. */
  function createHost(kill?: Kill) {
    let made = 0;
    async function call<T>(effect: () => T): Promise<T> {
      await turn?.();
      made += 1;
      calls += 1;
      if (kill !== undefined && made > kill.at) throw new Killed();
      if (made === kill?.at && !kill.isAfter) throw new Killed();
      const result = effect();
      if (made === kill?.at) throw new Killed();
      return result;
    }
    const store: ScheduleStore = {
      read: (path) => call(() => stored.get(path)),
      replace: (path, text, etag) =>
        call(() => {
          if (stored.get(path)?.etag !== etag) return false;
          stored.set(path, { text, etag: String((tags += 1)) });
          return true;
        }),
      remove: (path) => call(() => stored.delete(path)),
      page: () => Promise.reject(new Error("not asked here")),
    };
    return async (): Promise<"done" | "killed"> => {
      try {
        await fireSchedule(written.name, {
          schedules: createSchedules(store),
          runs: {
            isLive: (runId) => call(() => (runs.get(runId)?.ends ?? 0) > clock.now),
            cancel: (runId) =>
              call(() => {
                const run = runs.get(runId);
                if (run !== undefined) run.ends = Math.min(run.ends, clock.now);
              }),
            start: (_schedule, fire) =>
              call(() => {
                onStart?.(fire, clock.now);
                const run = runs.get(fire.runId);
                if (run !== undefined) run.starts += 1;
                else {
                  const ends = clock.now + runMinutes * minuteMs;
                  runs.set(fire.runId, { tick: fire.tick, started: clock.now, ends, starts: 1 });
                }
              }),
          },
          now: () => clock.now,
        });
        return "done";
      } catch (error) {
        if (error instanceof Killed || (error instanceof MlpipeError && error.code === "Unavailable")) return "killed";
        throw error;
      }
    };
  }

  const record = () => {
    const text = stored.get(schedulePath(written.name))?.text ?? "{}";
    return JSON.parse(text) as { fires: Fire[]; cursor: string };
  };

  return {
    clock,
    runs,
    createHost,
    record,
    get calls() {
      return calls;
    },

    /** Fires every minute of a stretch of time. */
    async play(minutes: number, host = createHost()): Promise<void> {
      for (let minute = 0; minute < minutes; minute += 1) {
        await host();
        clock.now += minuteMs;
      }
    },

    /** `hh:mm status` of every tick, in order. */
    fates: () => record().fires.map(({ tick, status }) => `${tick.slice(11, 16)} ${status}`),
  };
}
