import { graphOf, type PlanGraph } from "#shared/domain/plan.ts";
import type { Plans } from "#shared/plans.ts";

/** The part of a run's plan that its orchestration walks. */
export function createReadGraph({ plans }: { plans: Plans }) {
  return async function readGraph({ runId }: { runId: string }): Promise<PlanGraph> {
    return graphOf((await plans.get(runId)).plan);
  };
}
