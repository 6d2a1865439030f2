import type { DurableClient } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";

/** Puts a node's result into its run's inbox. A run that has ended takes no more signals, and needs none. */
export async function reportNode(
  { runId, result, sweep }: { runId: string; result: NodeResult; sweep?: string | undefined },
  client: DurableClient,
): Promise<null> {
  const signal: RunSignal = { kind: "node-ended", result };
  await client.raiseEvent(sweep === undefined ? runId : nodeInstanceId(runId, sweep), inbox, signal);
  return null;
}
