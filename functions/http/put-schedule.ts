import { z } from "zod";
import { PutScheduleRequest, ScheduleAnswer, ScheduleName } from "#shared/api.ts";
import { newRecord, withSchedule } from "#shared/domain/schedule/schedule-record.ts";
import { toScheduleDocument } from "#shared/domain/schedule/schedule-document.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { scheduleHash } from "../deployed-schedules.ts";
import { readSentSchedule } from "../read-sent-schedule.ts";
import { defineRoute, json } from "../route.ts";

export const putSchedule = (app: App) =>
  defineRoute(
    {
      name: "putSchedule",
      method: "PUT",
      path: "schedules/{name}",
      summary: "Make or change a schedule, as JSON or (content-type application/yaml) as YAML",
      params: z.object({ name: ScheduleName }),
      body: PutScheduleRequest,
      yamlField: "schedule",
      answer: { status: 200, description: "The schedule as it is now", schema: ScheduleAnswer },
    },
    async ({ params, body }) => {
      await app.deployedSchedules.refuse(params.name);
      const { schedule, warnings } = await readSentSchedule(app, body.schedule, params.name);
      const now = Date.now();
      const hash = scheduleHash(schedule);
      const record = await app.schedules.change(params.name, (before) =>
        before === undefined
          ? newRecord(schedule, hash, "registered", now)
          : withSchedule({ ...before, origin: "registered" }, schedule, hash, now),
      );
      if (record === undefined) throw new MlpipeError("NotFound", `Schedule ${params.name} was deleted meanwhile`);
      app.log.info({ schedule: params.name, version: record.version }, "schedule written");
      const document = toScheduleDocument(record, now, { next: 10, fires: 10 });
      return json(200, { ...document, warnings: warnings.map((warning) => ({ ...warning })) } satisfies ScheduleAnswer);
    },
  );
