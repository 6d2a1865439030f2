import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Executor } from "#local/azureml/executor/contract.ts";
import { createExecutor } from "#local/azureml/executor/executor.ts";
import { input, job, makeFolder, store } from "./job-fixture.ts";
import { type BlobStore, startBlobStore } from "./start-blob-store.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let blobs: BlobStore;
let executor: Executor;

beforeAll(async () => {
  [folder, blobs] = await Promise.all([makeFolder(), startBlobStore()]);
  executor = createExecutor({
    stateFolder: join(folder.path, "state"),
    cacheFolder: join(folder.path, "cache"),
    datastores: blobs.datastores,
    log: () => undefined,
  });
});

afterAll(async () => {
  await executor.stop();
  await blobs.stop();
  await folder.remove();
});

let count = 0;

/** What a job finds below its input, and how it ended. */
async function deliver(table: string, files: Record<string, string>, mode = "EvalMount") {
  const root = `table_${(count += 1)}`;
  await blobs.put(`${root}/MLTable`, table.replaceAll("ROOT", store(root)));
  for (const [name, content] of Object.entries(files)) await blobs.put(`${root}/${name}`, content);
  const execution = job("cd ${{inputs.t}}; find . -type f | sort", { inputs: { t: input("mltable", root, mode) } });
  const end = await executor.run(execution, () => undefined);
  const log = await blobs
    .read(`ExperimentRun/dcid.${execution.jobName}/user_logs/std_log.txt`, "workspaceartifactstore")
    .catch(() => "");
  return { end, files: log.trim().split("\n") };
}

const files = { "a/1.png": "1", "a/2.txt": "2", "b/c/3.png": "3", "4.png": "4" };

describe("a table in an evaluating mode", () => {
  test.each([
    ["type: mltable\npaths:\n  - folder: ./a\n", ["./1.png", "./2.txt"]],
    ["paths: [{file: a/1.png}, {file: b/c/3.png}]", ["./a/1.png", "./b/c/3.png"]],
    ["paths: [{folder: ROOT/a/}, {folder: ROOT/b/}]", ["./a/1.png", "./a/2.txt", "./b/c/3.png"]],
    ["paths: [{pattern: './*.png'}]", ["./4.png"]],
    ["paths: [{pattern: './**/*.png'}]", ["./4.png", "./a/1.png", "./b/c/3.png"]],
    ["paths: [{pattern: './a/*.txt'}]", ["./2.txt"]],
  ])("delivers its files below the folder that holds all of them: %s", async (table, expected) => {
    const { end, files: found } = await deliver(table, files);
    expect(end).toMatchObject({ status: "Completed" });
    expect(found).toEqual(expected);
  });

  test("is delivered as it is in any other mode", async () => {
    expect((await deliver("paths: [{folder: ./a}]", { "a/1": "1" }, "ReadOnlyMount")).files).toEqual([
      "./MLTable",
      "./a/1",
    ]);
  });

  test.each([
    ["paths: []", "has no `paths`"],
    ["paths: [{rows: 3}]", "neither `file` nor `folder` nor `pattern`"],
    ["paths: [{folder: ./none}]", "no blob below this folder"],
    ["paths: [{folder: 'https://elsewhere.test/x/'}]", "which is in no datastore"],
  ])("that cannot be delivered fails the job, and the input is named: %s", async (table, expected) => {
    const { end } = await deliver(table, {});
    expect(end).toMatchObject({ status: "Failed" });
    expect(end).toHaveProperty("message", expect.stringMatching(/Input `t`/));
    expect(end).toHaveProperty("message", expect.stringContaining(expected));
  });
});
