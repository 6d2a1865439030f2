// Entries that let a node be reused. One goes when it is old and nothing has been reused from its run lately: the note that a reuse
// leaves beside the run is as young as the last reuse. And how long jobs took: the newest of each node that are counted.
import type { Blobs } from "#shared/azure/blob.ts";
import type { RecordEntry, Records } from "#shared/azure/records.ts";
import { countedDurations } from "#shared/domain/cost/durations.ts";
import { allDurationsFolder, cacheEntriesFolder, cacheFolder, referencesFolder } from "#shared/domain/layout.ts";
import { CacheEntry } from "#shared/domain/remembered-node.ts";
import type { Pass } from "./pass.ts";

const pageSize = 1_000;
const hints = `${cacheFolder}pipelines/`;

/**
 * @param before milliseconds; what was written, and last reused, earlier goes
 * @returns how many entries went
 */
export async function ageCache(
  { records, blobs }: { readonly records: Records; readonly blobs: Pick<Blobs, "readText" | "list"> },
  before: number,
  pass: Pass,
): Promise<number> {
  /** Run -> whether something was reused from it lately. */
  const reused = new Map<string, boolean>();
  let removed = 0;

  async function isReused(path: string): Promise<boolean> {
    const text = await blobs.readText(path);
    const entry = text === undefined ? undefined : CacheEntry.safeParse(JSON.parse(text)).data;
    if (entry === undefined) return false;
    const known = reused.get(entry.runId);
    if (known !== undefined) return known;
    const notes = await blobs.list(referencesFolder(entry.runId));
    const isRecent = notes.some(({ lastModified }) => Date.parse(lastModified) >= before);
    reused.set(entry.runId, isRecent);
    return isRecent;
  }

  /** Of each node the newest durations, which come first, are kept for as long as all else. */
  const durations = { node: "", count: 0 };
  function isDurationTooMany(path: string): boolean {
    const node = path.slice(0, path.lastIndexOf("/"));
    if (node !== durations.node) Object.assign(durations, { node, count: 0 });
    durations.count += 1;
    return durations.count > countedDurations;
  }

  async function age({ path, lastModified }: RecordEntry): Promise<void> {
    if (path.startsWith(allDurationsFolder) && isDurationTooMany(path)) return remove(path);
    // What a pipeline's nodes have made lately is one small hint per pipeline.
    if (lastModified.getTime() >= before || path.startsWith(hints)) return;
    if (path.startsWith(cacheEntriesFolder) && (await isReused(path))) return;
    await remove(path);
  }

  async function remove(path: string): Promise<void> {
    removed += 1;
    if (!pass.isDryRun) await records.remove(path);
  }

  let continuation: string | undefined;
  do {
    const page = await records.page(cacheFolder, pageSize, continuation);
    for (const entry of page.entries) {
      if (pass.isOver()) return removed;
      await age(entry);
    }
    continuation = page.continuation;
  } while (continuation !== undefined);
  return removed;
}
