import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { PlanInput, PlanNode } from "#shared/domain/plan.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { resolveInputs } from "../job-inputs.ts";

type Answer = { kind: "decided"; value: boolean } | { kind: "undecidable"; reason: string };

/** How a condition comes out. A value that says neither is no reason to ask again. */
export function createReadCondition({ plans, readOutputText }: Pick<App, "plans" | "readOutputText">) {
  return async function readCondition({
    runId,
    node,
    upstream,
  }: {
    runId: string;
    node: string;
    upstream: Record<string, string>;
  }): Promise<Answer> {
    const condition = conditionOf(planNodeOf((await plans.get(runId)).plan, node));
    if (condition === undefined) throw new Error(`the plan of ${runId} has no condition ${node}`);
    try {
      const inputs = await resolveInputs({ condition }, upstream, readOutputText);
      const value = inputs["condition"];
      return { kind: "decided", value: value?.kind === "literal" && value.value === "True" };
    } catch (error) {
      if (!isMlpipeError(error) || error.code === "Unavailable") throw error;
      return { kind: "undecidable", reason: error.message };
    }
  };
}

function conditionOf(node: PlanNode | undefined): PlanInput | undefined {
  if (node?.loop?.kind !== "do_while") return node?.inputs["condition"];
  const { body, condition = "" } = node.loop;
  return { kind: "output", node: body, output: condition, type: "uri_file", mode: "ro_mount", literal: "boolean" };
}
