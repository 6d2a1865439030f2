import type { DurableClient } from "durable-functions";
import { inbox, type NodeSignal } from "#orchestrations/signals.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { jobName } from "#shared/domain/job-name.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress } from "#shared/domain/node-result.ts";
import type { Log } from "#shared/log.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/** Puts a signal into the inboxes of nodes that still run. */
export function createSignalNodes({ ml, log }: { ml: Ml; log: Log }) {
  return async function signalNodes(
    { runId, nodes, signal }: { runId: string; nodes: string[]; signal: NodeSignal },
    client: DurableClient,
  ): Promise<null> {
    await Promise.all(nodes.map((node) => tell(client, runId, node, signal)));
    return null;
  };

  async function tell(client: DurableClient, runId: string, node: string, signal: NodeSignal): Promise<void> {
    const instanceId = nodeInstanceId(runId, node);
    try {
      await client.raiseEvent(instanceId, inbox, signal);
    } catch (error) {
      const status = await findInstance(client, instanceId);
      if (status !== undefined && liveStatuses.includes(String(status.runtimeStatus))) throw error;
    }
    if (signal.kind === "cancel") await cancelInFlight(client, runId, node);
  }

  /** A node in the middle of a submission hears of a cancel after it; its job may be there already, under a name that is known. */
  async function cancelInFlight(client: DurableClient, runId: string, node: string): Promise<void> {
    const status = await findInstance(client, nodeInstanceId(runId, node));
    const progress = NodeProgress.safeParse(status?.customStatus).data;
    if (progress === undefined || progress.jobName !== undefined || progress.waitsFor !== undefined) return;
    const name = jobName(runId, node, progress.attempt);
    // The node cancels it again when the submission is over.
    await ml.cancelJob(name).catch((error: unknown) => log.warn({ jobName: name, error }, "cancel not taken"));
  }
}
