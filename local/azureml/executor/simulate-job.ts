// A job of which only the end is real: nothing is fetched and no process starts, its outputs get a small file each, and the
// end marker comes last as from any job. For measuring what an orchestration costs apart from the work it orders.
import { setTimeout as sleep } from "node:timers/promises";
import { endMarkerOutput } from "#shared/domain/end-marker.ts";
import type { Simulation } from "../faults.ts";
import type { DatastoreResolver, JobEnd, JobExecution, JobPhase } from "./contract.ts";

const uploadMs = 30_000;

/** @param signal cancels it */
export async function simulateJob(
  { jobName, outputs }: JobExecution,
  { ms }: Simulation,
  datastores: DatastoreResolver,
  onPhase: (phase: JobPhase) => void,
  signal: AbortSignal,
): Promise<JobEnd> {
  onPhase("Preparing");
  onPhase("Running");
  const wait = durationOf(jobName, ms);
  try {
    if (wait > 0) await sleep(wait, undefined, { signal });
    signal.throwIfAborted();
  } catch {
    return { status: "Canceled", reason: "cancel" };
  }
  onPhase("Finalizing");
  const { [endMarkerOutput]: marker, ...own } = outputs;
  const write = async (type: string, uri: string, text: string) => {
    const { datastore, path } = datastores.resolve(uri);
    const blob = type === "uri_file" ? path : `${path.replace(/\/$/, "")}/simulated.txt`;
    const abortSignal = AbortSignal.timeout(uploadMs);
    await datastores.client(datastore).getBlockBlobClient(blob).upload(text, text.length, { abortSignal });
  };
  // Everything but the marker before the marker: whoever is woken by it finds the rest in its place.
  await Promise.all(Object.values(own).map(({ type, uri }) => write(type, uri, "simulated\n")));
  if (marker !== undefined) await write(marker.type, marker.uri, '{"exitCode":0}\n');
  return { status: "Completed", exitCode: 0 };
}

/** FNV-1a of the name: jobs differ, and one that is started again after a restart takes as long as before. */
function durationOf(jobName: string, ms: Simulation["ms"]): number {
  if (typeof ms === "number") return ms;
  const [least, most] = ms;
  let hash = 0x811c9dc5;
  for (const character of jobName) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return least + (hash / 2 ** 32) * (most - least);
}
