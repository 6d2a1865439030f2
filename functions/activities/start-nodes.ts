// Starts nodes as instances whose ids are made of run and node: starting one twice starts it once.
import type { DurableClient } from "durable-functions";
import { nodeKinds } from "#orchestrations/nodes/nodes.ts";
import type { NodeInput } from "#orchestrations/run-node.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { graphOf } from "#shared/domain/plan.ts";
import type { Plans } from "#shared/plans.ts";
import { startOnce } from "../instances.ts";

export function createStartNodes({ plans }: { plans: Plans }) {
  return async function startNodes(
    { runId, nodes }: { runId: string; nodes: { node: string; upstream: Record<string, string> }[] },
    client: DurableClient,
  ): Promise<null> {
    const graph = graphOf((await plans.get(runId)).plan);
    const byName = new Map(graph.nodes.map((node) => [node.name, node]));
    await Promise.all(
      nodes.map(async ({ node, upstream }) => {
        const found = byName.get(node);
        if (found === undefined) throw new Error(`the plan of ${runId} has no node ${node}`);
        const { kind, component, instanceTypes, timeoutSeconds } = found;
        const input: NodeInput = {
          runId,
          node,
          kind,
          component,
          instanceTypes,
          upstream,
          ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        };
        await startOnce(client, nodeKinds[kind].orchestration, nodeInstanceId(runId, node), input);
      }),
    );
    return null;
  };
}
