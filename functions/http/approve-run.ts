import { z } from "zod";
import { ApproveRequest, RunDocument, RunId } from "#shared/api.ts";
import { runStatusFacts } from "#shared/domain/run.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { ApprovalAnswer } from "#shared/domain/promotion/promotion.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const approveRun = ({ runs, plans, approvals, log }: App) =>
  defineRoute(
    {
      name: "approveRun",
      method: "POST",
      path: "runs/{runId}/approve",
      summary: "Answer whether a run's model may be registered; the first answer counts, one that comes early is kept",
      params: z.object({ runId: RunId }),
      body: ApproveRequest,
      answer: { status: 202, description: "The answer is taken", schema: RunDocument },
    },
    async ({ params: { runId }, body, client }) => {
      const before = await runs.get(client, runId);
      const { plan } = await plans.get(runId);
      const node = plan.nodes.find(({ promotion }) => promotion?.approval !== undefined);
      if (node === undefined) throw new MlpipeError("Conflict", `Run ${runId} asks nobody to approve a model`);
      const { decision, by, comment } = body;
      const wanted: ApprovalAnswer = {
        decision: decision === "approve" ? "approved" : "rejected",
        ...(by === undefined || by === "" ? {} : { by }),
        ...(comment === undefined || comment === "" ? {} : { comment }),
        time: new Date().toISOString(),
      };
      const known = await approvals.read(runId);
      const isOver = runStatusFacts[before.status].isTerminal || before.promotion?.outcome !== undefined;
      if (known === undefined && isOver) throw new MlpipeError("Conflict", tooLate(before));
      const standing = known ?? (await approvals.settle(runId, wanted));
      if (standing.decision !== wanted.decision) throw new MlpipeError("Conflict", contradicted(runId, standing));
      await approvals.wake(client, runId, node.name);
      if (standing === wanted) log.info({ runId, decision: standing.decision }, "model answered for");
      return json(202, await runs.get(client, runId));
    },
  );

function tooLate({ runId, status, promotion }: RunDocument): string {
  const what = promotion?.reason === undefined ? "" : ` (${promotion.reason})`;
  const has = runStatusFacts[status].isTerminal ? `has ended: ${status}` : "has decided already";
  return `Run ${runId} ${has}; it waits for no answer${what}`;
}

function contradicted(runId: string, { decision, by, time }: ApprovalAnswer): string {
  const at = time.slice(0, 19).replace("T", " ");
  if (decision === "timed-out") return `Run ${runId} has stopped waiting for an answer at ${at} UTC`;
  if (decision === "canceled") return `Run ${runId} was canceled at ${at} UTC while it waited for an answer`;
  return `Run ${runId} was ${decision}${by === undefined ? "" : ` by ${by}`} at ${at} UTC; the first answer counts`;
}
