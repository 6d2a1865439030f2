// What goes and what stays, decided over a store in memory.
import { beforeEach, describe, expect, test } from "vitest";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Records } from "#shared/azure/records.ts";
import { cacheEntryPath, referencesFolder, runFolder } from "#shared/domain/layout.ts";
import type { RunDocument } from "#shared/domain/run.ts";
import { createLog } from "#shared/log.ts";
import { ageCache } from "#functions/retention/age-cache.ts";
import { ageOutputs, type OutputTools } from "#functions/retention/age-outputs.ts";
import type { Pass } from "#functions/retention/pass.ts";
import { createRunArchive } from "#functions/retention/run-archive.ts";

const dayMs = 86_400_000;
const now = Date.parse("2026-06-01T12:00:00Z");

interface Blob {
  readonly text: string;
  readonly modified: number;
}

/** The few calls that retention makes, over a map. */
function createStore() {
  const stored = new Map<string, Blob>();
  const put = (path: string, text = "", modified = now) => stored.set(path, { text, modified });
  const below = (prefix: string) =>
    [...stored].filter(([path]) => path.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const blobs: OutputTools["blobs"] = {
    readText: (path) => Promise.resolve(stored.get(path)?.text),
    list: (folder) =>
      Promise.resolve(
        below(folder).map(([path, { text, modified }]) => ({
          path: path.slice(folder.length),
          size: text.length,
          lastModified: new Date(modified).toISOString(),
          contentType: "text/plain",
        })),
      ),
    // Only the deletion of one blob is asked of it.
    container: (() => {
      const getBlobClient = (path: string) => ({ deleteIfExists: () => Promise.resolve(stored.delete(path)) });
      return Promise.resolve({ getBlobClient });
    }) as unknown as Blobs["container"],
  };
  const records: Records = {
    read: () => Promise.resolve(undefined),
    replace: (path, text) => Promise.resolve(put(path, text).has(path)),
    remove: (path) => Promise.resolve(stored.delete(path)),
    page: (prefix) =>
      Promise.resolve({
        entries: below(prefix).map(([path, { modified }]) => ({
          path,
          metadata: {},
          lastModified: new Date(modified),
          version: "1",
        })),
      }),
    folders: (prefix) =>
      Promise.resolve([...new Set(below(prefix).map(([path]) => path.slice(prefix.length).split("/")[0] ?? ""))]),
  };
  const writeText = (path: string, text: string) => {
    put(path, text);
    return Promise.resolve();
  };
  return { stored, put, records, blobs, archive: createRunArchive({ blobs: { ...blobs, writeText }, records }) };
}

const pass = (isDryRun = false): Pass => ({
  isDryRun,
  time: new Date(now).toISOString(),
  log: createLog("error"),
  isOver: () => false,
});

let store: ReturnType<typeof createStore>;
beforeEach(() => {
  store = createStore();
});

/** An archived run of one node that ended some days ago and has written two files. */
async function archive(runId: string, daysAgo: number): Promise<void> {
  const endTime = new Date(now - daysAgo * dayMs).toISOString();
  const node: RunDocument["nodes"][number] = {
    name: "train",
    status: "completed",
    component: "train",
    dependsOn: [],
    attempt: 1,
    jobName: `${runId}-train-1`,
  };
  const document: RunDocument = {
    runId,
    pipeline: "p",
    experimentName: "p",
    status: "completed",
    createdTime: endTime,
    lastUpdatedTime: endTime,
    endTime,
    nodes: [node],
    outputs: {},
    tags: {},
  };
  await store.archive.keep(document, endTime);
  store.put(`${runFolder(runId)}plan.json`, "{}");
  store.put(`${runFolder(runId)}train/1/model/weights`, "12345");
  store.put(`${runFolder(runId)}train/1/.ended.json`, "{}");
}

const entry = (runId: string, key: string) =>
  JSON.stringify({
    key,
    isReusable: true,
    runId,
    node: "train",
    startTime: "",
    endTime: "",
    outputs: {},
    pipeline: "p",
    component: "train",
    ingredients: {},
    data: {},
  });

/** @param keys of the nodes that each run remembers */
async function age(keys: Readonly<Record<string, string>> = {}, registered: readonly string[] = [], isDryRun = false) {
  const { archive: kept, blobs } = store;
  const memory: OutputTools["memory"] = {
    readRun: (runId) => {
      const key = keys[runId];
      const node = { key: key ?? "", isReusable: true, runId, node: "train", startTime: "", endTime: "", outputs: {} };
      return Promise.resolve(key === undefined ? {} : { train: node });
    },
  };
  async function* places() {
    yield* registered;
  }
  return ageOutputs({ archive: kept, blobs, memory, registered: places }, now - 30 * dayMs, pass(isDryRun));
}

const files = (runId: string) => [...store.stored.keys()].filter((path) => path.startsWith(runFolder(runId))).length;

describe("outputs", () => {
  test("of an old run go; its plan and its record stay and say so", async () => {
    await archive("old", 40);
    await archive("young", 20);
    expect(await age()).toEqual({ removed: [{ runId: "old", files: 2, bytes: 7 }], kept: [] });
    expect([files("old"), files("young")]).toEqual([2, 4]);
    expect((await store.archive.find("old"))?.outputsRemovedTime).toBe("2026-06-01T12:00:00.000Z");
    expect(await age()).toEqual({ removed: [], kept: [] });
  });

  test("stay in a dry run", async () => {
    await archive("old", 40);
    expect((await age({}, [], true)).removed).toMatchObject([{ runId: "old", files: 2 }]);
    expect(files("old")).toBe(4);
  });

  test("stay while a run that has reused them is kept, through any number of runs", async () => {
    for (const [runId, days] of [
      ["first", 90],
      ["second", 60],
      ["third", 5],
    ] as const)
      await archive(runId, days);
    store.put(`${referencesFolder("first")}second.json`);
    store.put(`${referencesFolder("second")}third.json`);
    expect(await age()).toEqual({
      removed: [],
      kept: [
        { runId: "first", reason: "run second has reused them, and is kept itself" },
        { runId: "second", reason: "run third has reused them" },
      ],
    });
  });

  test("go together with those of the run that has reused them", async () => {
    await archive("first", 90);
    await archive("second", 60);
    store.put(`${referencesFolder("first")}second.json`);
    expect((await age()).removed.map(({ runId }) => runId)).toEqual(["first", "second"]);
  });

  test("stay while a live run has reused them", async () => {
    await archive("first", 90);
    store.put(`${referencesFolder("first")}running.json`);
    expect((await age()).kept).toEqual([{ runId: "first", reason: "run running has reused them" }]);
  });

  test("stay while an entry lets them be reused, and not for an entry of another run", async () => {
    await archive("first", 90);
    await archive("second", 80);
    store.put(cacheEntryPath("k1"), entry("first", "k1"));
    store.put(cacheEntryPath("k2"), entry("newer", "k2"));
    const aged = await age({ first: "k1", second: "k2" });
    expect(aged.kept).toEqual([{ runId: "first", reason: "node train may still be reused" }]);
    expect(aged.removed.map(({ runId }) => runId)).toEqual(["second"]);
  });

  test("stay while a registered model or data asset lies in them, or came from their job", async () => {
    for (const runId of ["by-path", "by-job", "neither"]) await archive(runId, 90);
    const aged = await age({}, [
      "azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/d/paths/mlpipe/runs/by-path/train/1/model/",
      "jobs/by-job-train-1/",
    ]);
    expect(aged.kept.map(({ runId }) => runId)).toEqual(["by-job", "by-path"]);
    expect(aged.removed.map(({ runId }) => runId)).toEqual(["neither"]);
  });
});

describe("what makes nodes reusable", () => {
  const ageEntries = (isDryRun = false) =>
    ageCache({ records: store.records, blobs: store.blobs }, now - 30 * dayMs, pass(isDryRun));

  test("goes when it is old and was not reused lately", async () => {
    store.put(cacheEntryPath("old"), entry("a", "old"), now - 40 * dayMs);
    store.put(cacheEntryPath("young"), entry("b", "young"), now - 20 * dayMs);
    store.put(cacheEntryPath("reused"), entry("c", "reused"), now - 40 * dayMs);
    store.put(`${referencesFolder("c")}later.json`, "", now - 2 * dayMs);
    store.put(cacheEntryPath("reused-once"), entry("d", "reused-once"), now - 90 * dayMs);
    store.put(`${referencesFolder("d")}later.json`, "", now - 60 * dayMs);
    expect(await ageEntries(true)).toBe(2);
    expect(await ageEntries()).toBe(2);
    const left = [...store.stored.keys()].filter((path) => path.startsWith("mlpipe/cache/"));
    expect(left.toSorted()).toEqual([cacheEntryPath("reused"), cacheEntryPath("young")].toSorted());
  });
});
