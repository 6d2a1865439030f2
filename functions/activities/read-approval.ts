import type { ApprovalAnswer } from "#shared/domain/promotion/promotion.ts";
import type { App } from "../app.ts";

/** The answer that stands; `closing` becomes it when there is none. */
export function createReadApproval({ approvals }: Pick<App, "approvals">) {
  return async function readApproval({
    runId,
    closing,
  }: {
    runId: string;
    closing?: ApprovalAnswer | undefined;
  }): Promise<ApprovalAnswer | null> {
    return closing === undefined ? ((await approvals.read(runId)) ?? null) : approvals.settle(runId, closing);
  };
}
