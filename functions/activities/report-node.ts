import type { DurableClient } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
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
  log,
}: Pick<App, "plans" | "reuse" | "notifications" | "log">) {
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
    if (result.status !== "completed" || recipe === undefined) return null;
    try {
      return await reuse.remember(runId, (await plans.get(runId)).plan, result, recipe);
    } catch (error) {
      log.warn({ error, runId, node: result.node }, "node not remembered");
      return null;
    }
  };
}
