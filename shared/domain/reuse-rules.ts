// When no other run's result may stand for a node's, whatever its key.
import type { Plan, PlanNode } from "./plan.ts";

export interface NeverReused {
  readonly reason: string;
  /** Whether that holds for a run that is continued, too. */
  readonly isFinal: boolean;
  /** Whether what the node makes then may stand for others later. */
  readonly isRemembered: boolean;
}

/** Whether another run's node can stand for one of a kind. What control flow decides and repeats, it decides and repeats anew. */
const canBeReused = {
  command: true,
  sweep: true,
  if_else: false,
  do_while: false,
  parallel_for: false,
  promote: false,
} as const satisfies Record<PlanNode["kind"], boolean>;

/** Why `node` runs in any case, or undefined when it may be reused. */
export function whyNeverReused(plan: Plan, node: PlanNode): NeverReused | undefined {
  const { onInit, onFinalize, forceRerun } = plan.settings;
  if (!canBeReused[node.kind]) {
    const reason = node.kind === "promote" ? "every run's model is decided on anew" : "it is control flow";
    return { reason, isFinal: true, isRemembered: false };
  }
  if (node.name === onInit || node.name === onFinalize) {
    const reason = `it is the node that runs ${node.name === onInit ? "before" : "after"} all others, for what it does`;
    return { reason, isFinal: true, isRemembered: false };
  }
  if (plan.mustRun?.includes(node.name) === true)
    return {
      reason: "it was asked to run",
      isFinal: true,
      isRemembered: node.isDeterministic && !forceRerun && !node.forceRerun,
    };
  if (forceRerun || node.forceRerun)
    return {
      reason: `force_rerun is set for ${forceRerun ? "the pipeline" : "the node"}`,
      isFinal: false,
      isRemembered: false,
    };
  if (!node.isDeterministic)
    return { reason: "its component is not deterministic", isFinal: false, isRemembered: false };
  return undefined;
}
