import { ScheduleList } from "#shared/api.ts";
import { toScheduleDocument } from "#shared/domain/schedule/schedule-document.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listSchedules = ({ deployedSchedules }: App) =>
  defineRoute(
    {
      name: "listSchedules",
      method: "GET",
      path: "schedules",
      summary: "Every schedule with its next tick and what became of the last",
      answer: { status: 200, description: "By name", schema: ScheduleList },
    },
    async () => {
      const now = Date.now();
      const { records, issues } = await deployedSchedules.list(now);
      return json(200, {
        schedules: records.map((record) => toScheduleDocument(record, now, { next: 1, fires: 1 })),
        issues: issues.map((issue) => ({ ...issue })),
      } satisfies ScheduleList);
    },
  );
