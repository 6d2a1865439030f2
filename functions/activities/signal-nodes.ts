import type { DurableClient } from "durable-functions";
import { inbox, type NodeSignal } from "#orchestrations/signals.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/** Puts a signal into the inboxes of nodes that still run. */
export async function signalNodes(
  { runId, nodes, signal }: { runId: string; nodes: string[]; signal: NodeSignal },
  client: DurableClient,
): Promise<null> {
  await Promise.all(
    nodes.map(async (node) => {
      const instanceId = nodeInstanceId(runId, node);
      try {
        await client.raiseEvent(instanceId, inbox, signal);
      } catch (error) {
        const status = await findInstance(client, instanceId);
        if (status !== undefined && liveStatuses.includes(String(status.runtimeStatus))) throw error;
      }
    }),
  );
  return null;
}
