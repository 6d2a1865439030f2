// The one clock of all schedules. It keeps nothing in memory that matters: every host may run it, at any time, as often as it likes.
import type { DurableClient } from "durable-functions";
import { hasWork } from "#shared/domain/schedule/decide.ts";
import type { App } from "../app.ts";
import { fireSchedule } from "../fire-schedule.ts";
import { createScheduledRuns } from "../scheduled-runs.ts";

/** Azure's timers come a few milliseconds early now and then. */
const earlyMs = 1_000;

/** Schedules that are looked after at once. */
const lanes = 8;

export const fireSchedules = (app: App) => ({
  name: "fireSchedules",
  /** Every minute (NCRONTAB, seconds first). */
  schedule: "0 * * * * *",
  async handle(client: DurableClient): Promise<void> {
    const now = () => Date.now() + earlyMs;
    const { records } = await app.deployedSchedules.list(now());
    const names = records.filter((record) => hasWork(record, now())).map(({ schedule }) => schedule.name);
    const runs = createScheduledRuns(app, client);
    const fireNext = async (): Promise<void> => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        try {
          await fireSchedule(name, { schedules: app.schedules, runs, now });
        } catch (error) {
          // What one schedule meets is no reason to keep the others waiting; it is taken up again in a minute.
          app.log.error({ error, schedule: name }, "schedule not fired");
        }
      }
    };
    await Promise.all(Array.from({ length: lanes }, fireNext));
  },
});
