// Uploads by the thousand through an unreliable Event Grid, and the count of what came of them.
import type { DatasetWorld } from "./dataset-world.ts";

export interface Storm {
  readonly dataset: string;
  readonly versions: number;
  readonly filesPerVersion: number;
  /** Uploads under way at once. */
  readonly lanes: number;
  readonly faults: { readonly double: number; readonly reorder: number; readonly lose: number };
  /** Nothing new for so long means that events have done what they can. */
  readonly pauseMs: number;
  readonly onProgress?: (text: string) => void;
}

export interface StormResult {
  readonly uploads: number;
  readonly uploadSeconds: number;
  /** From the last upload until every version had its run, the scan's part in it. */
  readonly settleSeconds: number;
  /** Versions that had no run when the uploads had settled without a scan. */
  readonly leftToScan: number;
  /** Versions that the timer's own scan found before that. */
  readonly foundMeanwhile: number;
  /** Runs by version; one each is right. */
  readonly runs: ReadonlyMap<string, readonly string[]>;
  readonly eventsByFate: Readonly<Record<string, number>>;
}

/** The declaration of a storm's dataset: its files by name, which is the rule that every single event matters for. */
export function stormDeclaration({ dataset, filesPerVersion }: Pick<Storm, "dataset" | "filesPerVersion">): string {
  const names = Array.from({ length: filesPerVersion }, (_, index) => `part-${index}.bin`);
  return [
    `path: datasets/${dataset}/{version}/`,
    `files: [${names.join(", ")}]`,
    "pipeline: look",
    'inputs: { data: "${{dataset.path}}", version: "${{dataset.version}}" }',
  ].join("\n");
}

/** Same numbers for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function runStorm(world: DatasetWorld, storm: Storm): Promise<StormResult> {
  const { dataset, versions, filesPerVersion, lanes, faults, pauseMs, onProgress } = storm;
  const random = createRandom(7);
  const names = Array.from({ length: versions }, (_, index) => `v${String(index).padStart(5, "0")}`);
  const uploads = names.flatMap((version) =>
    Array.from({ length: filesPerVersion }, (_, index) => `datasets/${dataset}/${version}/part-${index}.bin`),
  );
  for (let last = uploads.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [uploads[last], uploads[other]] = [uploads[other] ?? "", uploads[last] ?? ""];
  }

  await world.controls.setEventFaults({ ...faults, delayMs: 2_000, subjectContains: `/blobs/datasets/${dataset}/` });
  const begun = performance.now();
  let next = 0;
  const upload = async (): Promise<void> => {
    while (next < uploads.length) {
      const index = next++;
      const path = uploads[index] ?? "";
      await (index % 2 === 0 ? world.put(path, path) : world.putBlocks(path, path));
      if (index % 1_000 === 999) onProgress?.(`${index + 1} uploads`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, upload));
  await world.controls.setEventFaults();
  const uploaded = performance.now();

  const arrived = async () => new Set(await world.startedVersions(dataset));
  // What events alone achieve: wait until nothing more comes of them.
  let before = -1;
  let now = (await arrived()).size;
  while (now !== before && now < versions) {
    await world.pause(pauseMs);
    [before, now] = [now, (await arrived()).size];
    onProgress?.(`${now} of ${versions} versions have arrived`);
  }
  const leftToScan = versions - now;
  const foundMeanwhile = (await world.events(`&dataset=${dataset}`)).filter(({ kind }) => kind === "found").length;
  for (let scans = 0; now < versions && scans < 20; scans += 1) {
    await world.scan();
    await world.pause(pauseMs);
    now = (await arrived()).size;
    onProgress?.(`${now} of ${versions} versions after scan ${scans + 1}`);
  }
  const settled = performance.now();
  // Whatever would start a second run has its chance.
  await world.scan();
  await world.pause(3_000);

  const runs = new Map<string, string[]>();
  for (const { version, runId } of await world.startedRuns(dataset))
    runs.set(version, [...(runs.get(version) ?? []), runId]);
  const eventsByFate: Record<string, number> = {};
  for (const { kind, fate } of await world.events(`&dataset=${dataset}`)) {
    const key = kind === "upload" ? fate : kind;
    eventsByFate[key] = (eventsByFate[key] ?? 0) + 1;
  }
  return {
    uploads: uploads.length,
    uploadSeconds: (uploaded - begun) / 1000,
    settleSeconds: (settled - uploaded) / 1000,
    leftToScan,
    foundMeanwhile,
    runs,
    eventsByFate,
  };
}
