// Histories of what has ended long ago. A run's document is kept before anything of it is purged, and its nodes go before the run
// itself, so that a pass which dies half-way leaves a run that the next pass finds whole.
import { type DurableClient, type DurableOrchestrationStatus, OrchestrationRuntimeStatus } from "durable-functions";
import { isMlpipeError } from "#shared/errors.ts";
import type { RunDocuments } from "../run-documents.ts";
import { findInstance, liveStatuses } from "../instances.ts";
import type { RunArchive } from "./run-archive.ts";
import type { Pass } from "./pass.ts";

const endedStatuses = [
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Canceled,
  OrchestrationRuntimeStatus.Terminated,
];

export interface AgedHistories {
  /** Runs whose histories went. */
  readonly runs: string[];
  /** Instances that went, those of runs and their nodes included. */
  instances: number;
}

/** @param before milliseconds; what ended earlier goes */
export async function ageHistories(
  tools: { readonly client: DurableClient; readonly runs: Pick<RunDocuments, "get">; readonly archive: RunArchive },
  before: number,
  pass: Pass,
): Promise<AgedHistories> {
  const { client, runs, archive } = tools;
  const aged: AgedHistories = { runs: [], instances: 0 };
  const all = await client.getStatusBy({
    createdTimeFrom: new Date(0),
    createdTimeTo: new Date(before),
    runtimeStatus: endedStatuses,
  });
  const old = all.filter(({ lastUpdatedTime }) => new Date(lastUpdatedTime).getTime() < before);
  const isRun = ({ name }: DurableOrchestrationStatus) => name === "runPipeline";
  const parts = Map.groupBy(
    old.filter((status) => !isRun(status)),
    ({ instanceId }) => runOf(instanceId),
  );

  async function purge(instanceId: string): Promise<void> {
    aged.instances += 1;
    if (!pass.isDryRun) await client.purgeInstanceHistory(instanceId);
  }

  for (const { instanceId: runId } of old.filter(isRun)) {
    if (pass.isOver()) return aged;
    if (!pass.isDryRun && !(await keepDocument(runId))) continue;
    for (const { instanceId } of parts.get(runId) ?? []) await purge(instanceId);
    parts.delete(runId);
    await purge(runId);
    aged.runs.push(runId);
  }
  // What is left belongs to no run that has just gone: collectors of datasets, and nodes that outlived their run.
  for (const [owner, statuses] of parts) {
    if (pass.isOver()) return aged;
    const run = await findInstance(client, owner);
    const isOwned =
      run !== undefined && (liveStatuses.includes(String(run.runtimeStatus)) || run.name === "runPipeline");
    if (!isOwned) for (const { instanceId } of statuses) await purge(instanceId);
  }
  return aged;

  /** @returns false when the run is none that can be kept */
  async function keepDocument(runId: string): Promise<boolean> {
    try {
      await archive.keep(await runs.get(client, runId), pass.time);
      return true;
    } catch (error) {
      // Without its plan there is no document, and nobody who could ask for one.
      if (isMlpipeError(error) && error.code === "NotFound") return true;
      pass.log.error({ error, runId }, "run not archived");
      return false;
    }
  }
}

/** A node's instance id begins with its run's. */
function runOf(instanceId: string): string {
  return instanceId.split(":")[0] ?? instanceId;
}
