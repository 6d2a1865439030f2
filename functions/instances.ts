// Reading durable instances. The client throws for an unknown id, where we want to be told.
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";

/** The instance's status, or undefined when there is none of that id. */
export async function findInstance(
  client: DurableClient,
  instanceId: string,
  options: { showInput?: boolean } = {},
): Promise<DurableOrchestrationStatus | undefined> {
  try {
    return await client.getStatus(instanceId, { showInput: options.showInput ?? false });
  } catch (error) {
    if (error instanceof Error && /404|no instance|not found/i.test(error.message)) return undefined;
    throw error;
  }
}

export const liveStatuses: readonly string[] = ["Pending", "Running", "ContinuedAsNew", "Suspended"];

/** Starts an instance unless there is one of that id: an earlier try may have got as far. */
export async function startOnce(
  client: DurableClient,
  orchestration: string,
  instanceId: string,
  input: object,
): Promise<void> {
  try {
    await client.startNew(orchestration, { instanceId, input });
  } catch (error) {
    if ((await findInstance(client, instanceId)) === undefined) throw error;
  }
}
