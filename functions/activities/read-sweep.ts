import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { SweepPlan } from "#shared/domain/sweep/sweep-plan.ts";
import type { Plans } from "#shared/plans.ts";

/** What a sweep node searches, and how. */
export function createReadSweep({ plans }: { plans: Plans }) {
  return async function readSweep({ runId, node }: { runId: string; node: string }): Promise<SweepPlan> {
    const { plan } = await plans.get(runId);
    const sweep = planNodeOf(plan, node)?.sweep;
    if (sweep === undefined) throw new Error(`the plan of ${runId} has no sweep ${node}`);
    return sweep;
  };
}
