// Makes somebody look at a version of a dataset: its collector, started where there is none.
import type { DurableClient } from "durable-functions";
import type { CollectInput, CollectProgress } from "#orchestrations/collect-dataset.ts";
import { type DatasetSignal, inbox } from "#orchestrations/signals.ts";
import { textHash } from "#shared/domain/text-hash.ts";
import type { VersionName } from "./dataset-arrivals.ts";
import { findInstance, liveStatuses } from "./instances.ts";

/** Id of a version's collector: a version may hold characters that an id may not. */
async function collectorId({ dataset, version }: VersionName): Promise<string> {
  return `dataset:${dataset}:${(await textHash(version)).slice(0, 20)}`;
}

/** Whether a collector looks after this version now. */
async function hasCollector(client: DurableClient, name: VersionName): Promise<boolean> {
  const status = await findInstance(client, await collectorId(name));
  return status !== undefined && liveStatuses.includes(String(status.runtimeStatus));
}

/** What a living collector waits for, as far as it has looked; undefined when there is none. */
export async function collectorStatus(
  client: DurableClient,
  name: VersionName,
): Promise<{ missing: string[]; files: number } | undefined> {
  const status = await findInstance(client, await collectorId(name));
  if (status === undefined || !liveStatuses.includes(String(status.runtimeStatus))) return undefined;
  // Set by our own orchestration; null until its first look.
  const progress = status.customStatus as CollectProgress | null;
  return { missing: [...(progress?.missing ?? [])], files: progress?.files ?? 0 };
}

/**
 * Starts the version's collector, or wakes the one that lives.
 *
 * A collector that ends at this very moment is not heard: it has looked a moment ago, and the scan looks again.
 *
 * @param isDecisive whether one that lives should look at once; otherwise it does so by itself
 * @returns whether it had to be started
 */
export async function wakeDataset(client: DurableClient, name: VersionName, isDecisive: boolean): Promise<boolean> {
  const instanceId = await collectorId(name);
  if (await hasCollector(client, name)) {
    const signal: DatasetSignal = { kind: "look" };
    if (isDecisive) await client.raiseEvent(instanceId, inbox, signal);
    return false;
  }
  const input: CollectInput = { dataset: name.dataset, version: name.version };
  try {
    // In place of one that has ended: each is there for one stretch of uploads.
    await client.startNew("collectDataset", { instanceId, input });
    return true;
  } catch (error) {
    // Another event of the same moment has started it; it has yet to look.
    if (!(await hasCollector(client, name))) throw error;
    return false;
  }
}
