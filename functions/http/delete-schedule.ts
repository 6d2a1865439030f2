import { z } from "zod";
import { ScheduleName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";

export const deleteSchedule = ({ schedules, deployedSchedules, log }: App) =>
  defineRoute(
    {
      name: "deleteSchedule",
      method: "DELETE",
      path: "schedules/{name}",
      summary: "Delete a schedule; runs that it has started go on",
      params: z.object({ name: ScheduleName }),
      answer: { status: 204, description: "It is gone" },
    },
    async ({ params }) => {
      await deployedSchedules.refuse(params.name);
      if (!(await schedules.remove(params.name)))
        throw new MlpipeError("NotFound", `There is no schedule ${params.name}`);
      log.info({ schedule: params.name }, "schedule deleted");
      return { status: 204 };
    },
  );
