import { z } from "zod";
import { ScheduleDocument, ScheduleName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";
import { answerPause } from "../set-schedule-pause.ts";

export const pauseSchedule = (app: App) =>
  defineRoute(
    {
      name: "pauseSchedule",
      method: "POST",
      path: "schedules/{name}/pause",
      summary: "Let no tick start a run until the schedule is resumed",
      params: z.object({ name: ScheduleName }),
      answer: { status: 200, description: "The schedule as it is now", schema: ScheduleDocument },
    },
    ({ params }) => answerPause(app, params.name, true),
  );
