import type { DurableClient } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";

/** Puts a node's result into its run's inbox. A run that has ended takes no more signals, and needs none. */
export async function reportNode(
  { runId, result }: { runId: string; result: NodeResult },
  client: DurableClient,
): Promise<null> {
  const signal: RunSignal = { kind: "node-ended", result };
  await client.raiseEvent(runId, inbox, signal);
  return null;
}
