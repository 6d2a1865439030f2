// A loop of one round after the other: each reads what the one before wrote, and says whether there is another.
import type { OrchestrationContext, Task } from "durable-functions";
import type { LoopPlan } from "#shared/domain/control/loop-plan.ts";
import type { Loop } from "#shared/domain/control/loop-state.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { readCondition } from "./activities.ts";
import { call } from "./contract.ts";
import { type LoopRules, runRounds } from "./rounds.ts";

export function* runDoWhile(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  return yield* runRounds(context, rules);
}

const rules: LoopRules = {
  next(loop, { rounds, goesOn }) {
    const { maxIterations, mapping } = planOf(loop);
    const [first = {}] = loop.items;
    const last = rounds.at(-1);
    if (last === undefined) return [first];
    if (last.outputs === undefined || goesOn !== true || rounds.length >= maxIterations) return [];
    const given = { ...first };
    for (const [output, inputs] of Object.entries(mapping)) {
      const uri = last.outputs[output];
      if (uri !== undefined) for (const name of inputs) given[`${loop.planNode}.${name}`] = uri;
    }
    return [given];
  },

  *settle(context, { runId, node }, loop, state, { number, outputs = {} }) {
    const { condition, maxIterations, mapping } = planOf(loop);
    state.goesOn = false;
    const missing = [...Object.keys(mapping), ...(condition === undefined ? [] : [condition])].find(
      (output) => outputs[output] === undefined,
    );
    if (missing !== undefined) {
      state.failure = { reason: `iteration ${number} made no output ${missing}` };
      return;
    }
    if (number >= maxIterations) return;
    if (condition === undefined) {
      state.goesOn = true;
      return;
    }
    const upstream = { [`${loop.plan.body}.${condition}`]: outputs[condition] ?? "" };
    const answer = yield* call(context, readCondition, { runId, node, upstream });
    if (answer.kind === "undecidable") state.failure = { reason: `iteration ${number}: ${answer.reason}` };
    else state.goesOn = answer.value;
  },
};

function planOf({ plan }: Loop): Extract<LoopPlan, { kind: "do_while" }> {
  if (plan.kind !== "do_while") throw new Error(`${plan.body} is the body of a ${plan.kind}`);
  return plan;
}
