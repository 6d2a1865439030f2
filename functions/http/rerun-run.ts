import { z } from "zod";
import { RerunRequest, RunDocument, RunId } from "#shared/api.ts";
import type { App } from "../app.ts";
import { createRerun } from "../rerun.ts";
import { defineRoute } from "../route.ts";
import { idempotencyHeader, readIdempotencyKey, runAccepted } from "./run-accepted.ts";

export const rerunRun = (app: App) => {
  const rerun = createRerun(app);
  return defineRoute(
    {
      name: "rerunRun",
      method: "POST",
      path: "runs/{runId}/rerun",
      summary:
        "Start a run that continues one which has ended: whole, from what failed or from a node, with other inputs",
      params: z.object({ runId: RunId }),
      body: RerunRequest,
      headers: idempotencyHeader,
      answer: { status: 202, description: "The new run has started; poll `Location`", schema: RunDocument },
    },
    async ({ params, body, headers, client, origin }) => {
      const runId = await rerun(client, params.runId, body, readIdempotencyKey(headers));
      return runAccepted(await app.runs.getTagged(client, runId), origin);
    },
  );
};
