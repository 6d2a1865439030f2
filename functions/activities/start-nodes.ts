// Starts nodes as instances whose ids are made of run and node: starting one twice starts it once. A node for which another
// run's stands is not started at all.
import type { DurableClient } from "durable-functions";
import { nodeKinds } from "#orchestrations/nodes/nodes.ts";
import type { NodeInput } from "#orchestrations/run-node.ts";
import type { PromoteInput } from "#orchestrations/run-promote.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { graphOf, type PlanNode } from "#shared/domain/plan.ts";
import { hasJobLimits, runNeeds } from "#shared/domain/slot-needs.ts";
import type { ReusedResult } from "#shared/domain/node-result.ts";
import type { NodeRecipe } from "#shared/domain/remembered-node.ts";
import type { App } from "../app.ts";
import { nodeMachines } from "../cost/node-machines.ts";
import { inBatches } from "../in-batches.ts";
import { startOnce } from "../instances.ts";
import { startOf, toTransition } from "../webhooks/node-transitions.ts";
import type { Decisions, ReadyNode } from "../reuse/decide-nodes.ts";

type Needed = Pick<App, "plans" | "reuse" | "concurrency" | "notifications">;

export function createStartNodes({ plans, reuse, concurrency, notifications }: Needed) {
  return async function startNodes(
    { runId, nodes }: { runId: string; nodes: ReadyNode[] },
    client: DurableClient,
  ): Promise<{ reused: ReusedResult[]; isWatched: boolean }> {
    const { plan } = await plans.get(runId);
    const graph = graphOf(plan);
    const decisions = await reuse.decideNodes(runId, plan, nodes);
    const isLimited = hasJobLimits(concurrency, plan);
    const holdsSlot = Object.keys(runNeeds(concurrency, plan)).length > 0;
    const byName = new Map(graph.nodes.map((node) => [node.name, node]));
    const reused = await reuse.takeReused(runId, plan, decisions, new Date().toISOString());
    const toStart = nodes.filter(({ node }) => decisions.get(node)?.stands === undefined);
    const planned = new Map(plan.nodes.map((one) => [one.name, one]));
    await inBatches(toStart, async ({ node, upstream }) => {
      const found = byName.get(node);
      if (found === undefined) throw new Error(`the plan of ${runId} has no node ${node}`);
      const { kind, component, instanceTypes, timeoutSeconds } = found;
      const inPlan = planned.get(node);
      const input: NodeInput & Partial<PromoteInput> = {
        runId,
        node,
        kind,
        component,
        instanceTypes,
        upstream: { ...upstream },
        ...recipeOf(decisions, node),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        ...(inPlan === undefined ? {} : { machines: nodeMachines(plan, inPlan) }),
        ...(inPlan?.policy === undefined ? {} : { policy: inPlan.policy }),
        ...(isLimited ? { isLimited } : {}),
        ...approvalOf(inPlan, holdsSlot),
      };
      await startOnce(client, nodeKinds[kind].orchestration, nodeInstanceId(runId, node), input);
    });
    const started = toStart.map(({ node }) => node);
    await Promise.all([reuse.keepData(decisions), reuse.prepare(runId, plan, started)]);
    const isWatched = await notifications.isWatched();
    if (isWatched) {
      const told = [
        ...started.map((node) => startOf(runId, plan, node)),
        ...reused.map((result) => toTransition(runId, plan, result)),
      ];
      await notifications.tell(client, told);
    }
    return { reused, isWatched };
  };
}

function recipeOf(decisions: Decisions, node: string): { recipe?: NodeRecipe } {
  const recipe = decisions.get(node)?.recipe;
  return recipe === undefined ? {} : { recipe };
}

/** What a node that decides on a model has to know of the wait for somebody's answer. */
function approvalOf(node: PlanNode | undefined, holdsSlot: boolean): Partial<PromoteInput> {
  const approval = node?.promotion?.approval;
  return approval === undefined ? {} : { approvalSeconds: approval.timeoutSeconds, holdsSlot };
}
