import type { DurableClient } from "durable-functions";
import { nodeKinds } from "#orchestrations/nodes/nodes.ts";
import type { NodeInput } from "#orchestrations/run-node.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";
import { hasJobLimits } from "#shared/domain/slot-needs.ts";
import type { App } from "../app.ts";
import { nodeMachines } from "../cost/node-machines.ts";
import { startOnce } from "../instances.ts";

interface BodyNodes {
  readonly runId: string;
  readonly owner: string;
  readonly nodes: readonly { node: string; upstream: Record<string, string> }[];
}

/** Starts nodes of a loop's rounds as instances: starting one twice starts it once. */
export function createStartBodyNodes({ plans, concurrency }: Pick<App, "plans" | "concurrency">) {
  return async function startBodyNodes({ runId, owner, nodes }: BodyNodes, client: DurableClient): Promise<null> {
    const { plan } = await plans.get(runId);
    const isLimited = hasJobLimits(concurrency, plan);
    await Promise.all(
      nodes.map(async ({ node, upstream }) => {
        const planned = planNodeOf(plan, node);
        if (planned === undefined) throw new Error(`the plan of ${runId} has no node ${node}`);
        const { kind, component, resources, timeoutSeconds, policy } = planned;
        const read = readBy(plan, planned);
        const input: NodeInput = {
          runId,
          node,
          owner,
          kind,
          component: component.name,
          instanceTypes: resources.instanceTypes,
          machines: nodeMachines(plan, planned),
          upstream: Object.fromEntries(Object.entries(upstream).filter(([key]) => read.has(key))),
          ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
          ...(policy === undefined ? {} : { policy }),
          ...(isLimited ? { isLimited } : {}),
        };
        await startOnce(client, nodeKinds[kind].orchestration, nodeInstanceId(runId, node), input);
      }),
    );
    return null;
  };
}

/** `node.output` of everything that a node reads, and what it repeats. */
function readBy(plan: Plan, node: PlanNode): Set<string> {
  const own = Object.values(node.inputs).flatMap((input) =>
    input.kind === "output" ? [`${input.node}.${input.output}`] : [],
  );
  const inside = node.loop === undefined ? [] : (plan.bodies?.[node.name]?.nodes ?? []);
  return new Set([...own, ...inside.flatMap((inner) => [...readBy(plan, inner)])]);
}
