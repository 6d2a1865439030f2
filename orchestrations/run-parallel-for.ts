// A loop over items: so many rounds at a time, one for each item, and their outputs gathered in the items' order.
import type { OrchestrationContext, Task } from "durable-functions";
import { walkingRounds } from "#shared/domain/control/loop-state.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { gatherOutputs } from "./activities.ts";
import { call } from "./contract.ts";
import { type LoopRules, runRounds } from "./rounds.ts";

export function* runParallelFor(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  return yield* runRounds(context, rules);
}

const rules: LoopRules = {
  next({ plan, items }, state) {
    const limit = plan.kind === "parallel_for" ? (plan.maxConcurrency ?? Infinity) : 1;
    const begun = state.rounds.length;
    return items.slice(begun, begun + Math.max(0, limit - walkingRounds(state).length));
  },

  *gather(context, { runId, node }, _loop, { rounds }) {
    return yield* call(context, gatherOutputs, { runId, node, rounds: rounds.map(({ outputs = {} }) => outputs) });
  },
};
