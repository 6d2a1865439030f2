import type { HttpResponseInit } from "@azure/functions";
import { toScheduleDocument } from "#shared/domain/schedule/schedule-document.ts";
import { withPause } from "#shared/domain/schedule/schedule-record.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "./app.ts";
import { json } from "./route.ts";

/** Pauses or resumes a schedule and answers with it. @throws MlpipeError `NotFound` */
export async function answerPause(
  { schedules, deployedSchedules, log }: App,
  name: string,
  isPaused: boolean,
): Promise<HttpResponseInit> {
  const now = Date.now();
  await deployedSchedules.get(name, now);
  const record = await schedules.change(name, (before) =>
    before === undefined ? undefined : withPause(before, isPaused, now),
  );
  if (record === undefined) throw new MlpipeError("NotFound", `There is no schedule ${name}`);
  log.info({ schedule: name, isPaused }, "schedule switched");
  return json(200, toScheduleDocument(record, now, { next: 10, fires: 10 }));
}
