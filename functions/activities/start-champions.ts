import type { DurableClient } from "durable-functions";
import { nodeKinds } from "#orchestrations/nodes/nodes.ts";
import type { NodeInput } from "#orchestrations/run-node.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { hasJobLimits } from "#shared/domain/slot-needs.ts";
import type { App } from "../app.ts";
import { nodeMachines } from "../cost/node-machines.ts";
import { startOnce } from "../instances.ts";
import type { PromotionRequest } from "../promotion/candidate.ts";

type Champions = PromotionRequest & { readonly nodes: readonly { node: string; planNode: string; uri: string }[] };

/** Starts nodes once more with the champion in the model's place; they report to the node that decides. */
export function createStartChampions({ plans, concurrency }: Pick<App, "plans" | "concurrency">) {
  return async function startChampions(
    { runId, node: owner, upstream, nodes }: Champions,
    client: DurableClient,
  ): Promise<null> {
    const { plan } = await plans.get(runId);
    const model = plan.nodes.find(({ name }) => name === owner)?.inputs["model"];
    if (model?.kind !== "output") throw new Error(`the plan of ${runId} has no promotion ${owner}`);
    const isLimited = hasJobLimits(concurrency, plan);
    await Promise.all(
      nodes.map(async ({ node, planNode, uri }) => {
        const planned = plan.nodes.find(({ name }) => name === planNode);
        if (planned === undefined) throw new Error(`the plan of ${runId} has no node ${planNode}`);
        const { kind, component, resources, timeoutSeconds, policy, inputs } = planned;
        const given = { ...upstream, [`${model.node}.${model.output}`]: uri };
        const read = new Set(
          Object.values(inputs).flatMap((input) => (input.kind === "output" ? [`${input.node}.${input.output}`] : [])),
        );
        const input: NodeInput = {
          runId,
          node,
          owner,
          kind,
          component: component.name,
          instanceTypes: resources.instanceTypes,
          machines: nodeMachines(plan, planned),
          upstream: Object.fromEntries(Object.entries(given).filter(([key]) => read.has(key))),
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
