import type { DurableClient } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import { machineOf } from "#shared/domain/cost/prices.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { NodeRecipe, RememberedNode } from "#shared/domain/remembered-node.ts";
import type { App } from "../app.ts";
import { toTransition } from "../webhooks/node-transitions.ts";

interface Report {
  readonly runId: string;
  readonly result: NodeResult;
  readonly owner?: string | undefined;
  readonly recipe?: NodeRecipe | undefined;
}

/**
 * Puts a node's result into its run's inbox (a run that has ended takes no more signals, and needs none), and only then
 * remembers it: what comes next does not wait for that.
 */
export function createReportNode({
  plans,
  reuse,
  notifications,
  durations,
  log,
}: Pick<App, "plans" | "reuse" | "notifications" | "durations" | "log">) {
  /** A plan is told without what this one took, when it cannot be kept. */
  async function keepDuration(runId: string, result: NodeResult): Promise<void> {
    if (result.status !== "completed" || result.timing === undefined || result.jobName === undefined) return;
    const { timing, jobName, endTime, instanceType } = result;
    try {
      const { plan } = await plans.get(runId);
      const node = planNodeOf(plan, result.node);
      if (node === undefined) return;
      const duration = { ...timing, component: node.component.name, size: machineOf(node, instanceType).name };
      await durations.note(plan.pipeline, node.name, jobName, endTime, duration);
    } catch (error) {
      log.warn({ error, runId, node: result.node }, "duration not kept");
    }
  }

  return async function reportNode(
    { runId, result, owner, recipe }: Report,
    client: DurableClient,
  ): Promise<RememberedNode | null> {
    const isWatched = await notifications.isWatched();
    const signal: RunSignal = { kind: "node-ended", result, isWatched };
    await client.raiseEvent(owner === undefined ? runId : nodeInstanceId(runId, owner), inbox, signal);
    if (isWatched && owner === undefined) {
      await notifications.tell(client, [toTransition(runId, (await plans.get(runId)).plan, result)]);
    }
    const kept = keepDuration(runId, result);
    if (result.status !== "completed" || recipe === undefined) return kept.then(() => null);
    try {
      return await reuse.remember(runId, (await plans.get(runId)).plan, result, recipe);
    } catch (error) {
      log.warn({ error, runId, node: result.node }, "node not remembered");
      return null;
    } finally {
      await kept;
    }
  };
}
