import { machineOf } from "#shared/domain/cost/prices.ts";
import type { NodeMachines } from "#shared/domain/cost/machine-time.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";

/** What a node's orchestration has to know of its machines. */
export function nodeMachines({ settings }: Pick<Plan, "settings">, node: PlanNode): NodeMachines {
  const { name: compute, isSpot } = machineOf(node, undefined);
  return {
    instanceCount: node.resources.instanceCount,
    ...(isSpot ? { isSpot } : {}),
    ...(compute === undefined ? {} : { compute }),
    ...(settings.maxCost === undefined ? {} : { isCapped: true }),
  };
}
