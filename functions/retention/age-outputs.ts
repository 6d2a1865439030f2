// Outputs of runs that ended long ago. They stay while anything still stands on them: a run that has reused them and is kept itself,
// an entry by which they may be reused, a registered model or data asset.
import type { Blobs } from "#shared/azure/blob.ts";
import { cacheEntryPath, referencesFolder, runFolder } from "#shared/domain/layout.ts";
import { CacheEntry } from "#shared/domain/remembered-node.ts";
import type { RunDocument } from "#shared/domain/run.ts";
import type { NodeMemory } from "../reuse/node-memory.ts";
import type { Pass } from "./pass.ts";
import type { RunArchive } from "./run-archive.ts";

export interface AgedOutputs {
  /** Runs whose outputs went. */
  readonly removed: { runId: string; files: number; bytes: number }[];
  /** Runs as old whose outputs stay, and why. */
  readonly kept: { runId: string; reason: string }[];
}

export interface OutputTools {
  readonly archive: RunArchive;
  readonly blobs: Pick<Blobs, "readText" | "list" | "container">;
  readonly memory: Pick<NodeMemory, "readRun">;
  /** Where every registered model and data asset lies, and the jobs that they came from. */
  readonly registered: () => AsyncIterable<string>;
}

const removalsAtOnce = 16;

/** @param before milliseconds; outputs of runs that ended earlier go */
export async function ageOutputs(tools: OutputTools, before: number, pass: Pass): Promise<AgedOutputs> {
  const { archive, blobs } = tools;
  const aged: AgedOutputs = { removed: [], kept: [] };
  const due = new Map<string, RunDocument>();
  for await (const runId of archive.ended(before)) {
    const document = await archive.find(runId);
    if (document !== undefined && Date.parse(document.endTime ?? document.lastUpdatedTime) < before)
      due.set(runId, document);
  }
  if (due.size === 0) return aged;

  // Without the whole list nothing may go.
  const registered: string[] = [];
  for await (const place of tools.registered()) registered.push(place);
  const needed = createNeeds(tools, due);

  for (const [runId, document] of due) {
    if (pass.isOver()) return aged;
    const reason = whyRegistered(document, registered) ?? (await needed(runId)) ?? (await whyReusable(document, tools));
    if (reason !== undefined) {
      aged.kept.push({ runId, reason });
      continue;
    }
    const found = (await blobs.list(runFolder(runId), Infinity)).filter(({ path }) => isOutput(path));
    aged.removed.push({ runId, files: found.length, bytes: found.reduce((sum, { size }) => sum + size, 0) });
    if (pass.isDryRun) continue;
    const container = await blobs.container();
    for (let start = 0; start < found.length; start += removalsAtOnce) {
      const batch = found.slice(start, start + removalsAtOnce);
      await Promise.all(
        batch.map(({ path }) => container.getBlobClient(`${runFolder(runId)}${path}`).deleteIfExists()),
      );
    }
    await archive.forgetOutputs(document, pass.time);
  }
  return aged;
}

/** The plan, the record and the notes about the run lie in its folder itself, or in one whose name begins with a dot. */
function isOutput(path: string): boolean {
  return path.includes("/") && !path.startsWith(".");
}

function whyRegistered({ runId, nodes }: RunDocument, registered: readonly string[]): string | undefined {
  const marks = [runFolder(runId), ...nodes.flatMap(({ jobName }) => (jobName === undefined ? [] : [`/${jobName}/`]))];
  const place = registered.find((one) => marks.some((mark) => one.includes(mark)));
  return place === undefined ? undefined : `registered: ${place}`;
}

/** Tells why a run's outputs are needed by another run, undefined when they are not. */
function createNeeds({ archive, blobs }: OutputTools, due: ReadonlyMap<string, unknown>) {
  const known = new Map<string, Promise<string | undefined>>();

  async function look(runId: string): Promise<string | undefined> {
    for (const { path } of await blobs.list(referencesFolder(runId))) {
      const reader = path.replace(/\.json$/, "");
      if (!due.has(reader)) {
        const document = await archive.find(reader);
        if (document?.outputsRemovedTime === undefined) return `run ${reader} has reused them`;
      } else if ((await needed(reader)) !== undefined) return `run ${reader} has reused them, and is kept itself`;
    }
    return undefined;
  }

  // Runs reuse what was there before them, so this ends.
  function needed(runId: string): Promise<string | undefined> {
    const before = known.get(runId);
    if (before !== undefined) return before;
    const looking = look(runId);
    known.set(runId, looking);
    return looking;
  }
  return needed;
}

async function whyReusable({ runId }: RunDocument, { memory, blobs }: OutputTools): Promise<string | undefined> {
  for (const [node, { key }] of Object.entries(await memory.readRun(runId))) {
    const text = await blobs.readText(cacheEntryPath(key));
    const entry = text === undefined ? undefined : CacheEntry.safeParse(JSON.parse(text)).data;
    if (entry?.runId === runId) return `node ${node} may still be reused`;
  }
  return undefined;
}
