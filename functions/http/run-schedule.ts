import { randomUUID } from "node:crypto";
import { z } from "zod";
import { RunDocument, ScheduleName } from "#shared/api.ts";
import { derivedRunId } from "#shared/domain/run-id.ts";
import { toTickTime } from "#shared/domain/schedule/schedule.ts";
import { withFireByHand } from "#shared/domain/schedule/schedule-record.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { startDecided } from "../fire-schedule.ts";
import { defineRoute } from "../route.ts";
import { createScheduledRuns } from "../scheduled-runs.ts";
import { idempotencyHeader, readIdempotencyKey, runAccepted } from "./run-accepted.ts";

export const runSchedule = (app: App) =>
  defineRoute(
    {
      name: "runSchedule",
      method: "POST",
      path: "schedules/{name}/run",
      summary: "Start a run of a schedule now, whatever its clock, its overlap and its pause say",
      params: z.object({ name: ScheduleName }),
      headers: idempotencyHeader,
      answer: { status: 202, description: "The run has started; poll `Location`", schema: RunDocument },
    },
    async ({ params, headers, client, origin }) => {
      const { name } = params;
      const key = readIdempotencyKey(headers) ?? randomUUID();
      const runId = await derivedRunId("schedule-by-hand", JSON.stringify([name, key]));
      const now = Date.now();
      await app.deployedSchedules.get(name, now);
      const record = await app.schedules.change(name, (before) =>
        before === undefined ? undefined : withFireByHand(before, runId, toTickTime(now), now),
      );
      if (record === undefined) throw new MlpipeError("NotFound", `There is no schedule ${name}`);
      const runs = createScheduledRuns(app, client);
      const after = await startDecided(record, { schedules: app.schedules, runs, now: Date.now });
      const fire = after?.fires.find((one) => "runId" in one && one.runId === runId);
      if (fire?.status === "started") return runAccepted(await app.runs.getTagged(client, runId), origin);
      if (fire?.status === "failed") throw new MlpipeError("InvalidRequest", fire.reason);
      const problem = fire?.status === "starting" ? fire.problem : undefined;
      throw new MlpipeError(
        "Unavailable",
        `${problem ?? "The run has not started yet"}; it is tried again every minute`,
      );
    },
  );
