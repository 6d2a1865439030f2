import { z } from "zod";
import { ScheduleDocument, ScheduleName } from "#shared/api.ts";
import { toScheduleDocument } from "#shared/domain/schedule/schedule-document.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const getSchedule = ({ deployedSchedules }: App) =>
  defineRoute(
    {
      name: "getSchedule",
      method: "GET",
      path: "schedules/{name}",
      summary: "One schedule: when it fires next, and what became of its last ticks",
      params: z.object({ name: ScheduleName }),
      query: z.object({
        next: z.coerce.number().int().min(0).max(1_000).default(10),
        fires: z.coerce.number().int().min(0).max(1_000).default(50),
      }),
      answer: { status: 200, description: "The schedule", schema: ScheduleDocument },
    },
    async ({ params, query }) => {
      const now = Date.now();
      return json(200, toScheduleDocument(await deployedSchedules.get(params.name, now), now, query));
    },
  );
