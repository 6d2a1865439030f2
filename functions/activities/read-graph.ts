import type { Concurrency } from "#shared/domain/concurrency.ts";
import { graphOf, type PlanGraph } from "#shared/domain/plan.ts";
import { runNeeds } from "#shared/domain/slot-needs.ts";
import type { Plans } from "#shared/plans.ts";

/**
 * Few: a history is read anew at every signal. Not fewer: at each turn the run asks for every node that runs.
 */
const turnAfter = 20;

/** The part of a run's plan that its orchestration walks. */
export function createReadGraph({ plans, concurrency }: { plans: Plans; concurrency: Concurrency }) {
  return async function readGraph({ runId }: { runId: string }): Promise<PlanGraph> {
    const { plan } = await plans.get(runId);
    const isLimited = Object.keys(runNeeds(concurrency, plan)).length > 0;
    return { ...graphOf(plan), turnAfter, ...(isLimited ? { isLimited } : {}) };
  };
}
