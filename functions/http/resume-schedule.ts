import { z } from "zod";
import { ScheduleDocument, ScheduleName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";
import { answerPause } from "../set-schedule-pause.ts";

export const resumeSchedule = (app: App) =>
  defineRoute(
    {
      name: "resumeSchedule",
      method: "POST",
      path: "schedules/{name}/resume",
      summary: "Let ticks start runs again, from now on",
      params: z.object({ name: ScheduleName }),
      answer: { status: 200, description: "The schedule as it is now", schema: ScheduleDocument },
    },
    ({ params }) => answerPause(app, params.name, false),
  );
