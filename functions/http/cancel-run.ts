import { z } from "zod";
import { CancelRequest, RunDocument, RunId } from "#shared/api.ts";
import { runStatusFacts } from "#shared/domain/run.ts";
import type { App } from "../app.ts";
import { orderCancel } from "../order-cancel.ts";
import { defineRoute, json } from "../route.ts";

export const cancelRun = ({ runs, log }: App) =>
  defineRoute(
    {
      name: "cancelRun",
      method: "POST",
      path: "runs/{runId}/cancel",
      summary: "Cancel a run and every job of it; a run that has ended stays as it is",
      params: z.object({ runId: RunId }),
      body: CancelRequest,
      answer: { status: 202, description: "The order is taken", schema: RunDocument },
    },
    async ({ params, body, client }) => {
      const before = await runs.get(client, params.runId);
      if (runStatusFacts[before.status].isTerminal) return json(200, before);
      await orderCancel(client, params.runId, body.reason ?? "canceled on request");
      log.info({ runId: params.runId }, "run canceled");
      return json(202, await runs.get(client, params.runId));
    },
  );
