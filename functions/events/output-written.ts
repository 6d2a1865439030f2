// A blob was written in the workspace's store. When it is an attempt's end marker, its node is woken up; the event is never more
// than that: it may be doubled, early, or about anybody's blob.
import type { EventGridEvent } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import { inbox, type NodeSignal } from "#orchestrations/signals.ts";
import { nodeInstanceId, parseEndMarkerPath } from "#shared/domain/layout.ts";
import type { App } from "../app.ts";

const BlobCreated = z.object({
  eventType: z.literal("Microsoft.Storage.BlobCreated"),
  subject: z.string(),
  data: z.object({ url: z.string(), api: z.string() }),
});

/** On a hierarchical namespace `CreateFile` comes before the content does. */
const tooEarly = new Set(["CreateFile"]);

const subjectPattern = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/;

export const outputWritten = ({ blobs, log }: App) => ({
  name: "outputWritten",
  async handle(event: EventGridEvent, client: DurableClient): Promise<void> {
    const parsed = BlobCreated.safeParse(event);
    if (!parsed.success || tooEarly.has(parsed.data.data.api)) return;
    const [, container, path] = subjectPattern.exec(parsed.data.subject) ?? [];
    if (container === undefined || path === undefined) return;
    const place = parseEndMarkerPath(path);
    if (place === undefined || container !== (await blobs.defaultStore()).container) return;
    await wakeNode(client, place.runId, place.node);
    log.debug({ runId: place.runId, node: place.node }, "end marker seen");
  },
});

/** Tells a node that its job may have ended; a node that is unknown or has ended needs no telling. */
export async function wakeNode(client: DurableClient, runId: string, node: string): Promise<void> {
  const signal: NodeSignal = { kind: "job-ended" };
  try {
    await client.raiseEvent(nodeInstanceId(runId, node), inbox, signal);
  } catch (error) {
    // 404 and 410 are answers; anything else is retried by Event Grid.
    if (!(error instanceof Error && /404|410|no instance|not found/i.test(error.message))) throw error;
  }
}
