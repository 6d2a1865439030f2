import type { DurableClient } from "durable-functions";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import type { Slots } from "../slots.ts";

/** Gives back what `takeSlot` gave, or the place in the queue. */
export function createReleaseSlot({ slots }: { slots: Slots }) {
  return async function releaseSlot(
    { runId, node }: { runId: string; node?: string | undefined },
    client: DurableClient,
  ): Promise<null> {
    if (node === undefined) await slots.release("runs", [runId], client);
    else await slots.release("jobs", [nodeInstanceId(runId, node)], client);
    return null;
  };
}
