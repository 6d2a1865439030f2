import { toMicros } from "#shared/domain/cost/money.ts";
import type { Plans } from "#shared/plans.ts";
import type { CostLedgers } from "../cost/cost-ledgers.ts";

/** Takes down what a job of a run with a cap has cost. */
export function createSettleMoney({ plans, costs }: { plans: Plans; costs: CostLedgers }) {
  return async function settleMoney({
    runId,
    jobName,
    cost,
    lostSince,
  }: {
    runId: string;
    jobName: string;
    cost: number;
    lostSince?: string | undefined;
  }): Promise<null> {
    const { maxCost } = (await plans.get(runId)).plan.settings;
    if (maxCost !== undefined) await costs.settle(runId, toMicros(maxCost), jobName, cost, lostSince);
    return null;
  };
}
