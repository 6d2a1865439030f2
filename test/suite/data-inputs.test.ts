// Data from everywhere it may lie, in every mode: what a program finds at the path it is given.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { RunDocument } from "#shared/api.ts";
import { nodeOf, onEmbedded, shell, sharedApp } from "./app.ts";

const { app, controls } = sharedApp();
const { embedded } = inject("app");
/** Names of this file's own, in a workspace that may have others. */
const mark = crypto.randomUUID().slice(0, 8);
const named = (what: string) => `${what}-${mark}`;
const result = { result: { type: "uri_folder" } };
let seed: RunDocument;

beforeAll(async () => {
  const command = `
    printf one > "\${{outputs.file}}"
    mkdir -p "\${{outputs.folder}}/deep er" && printf two > "\${{outputs.folder}}/deep er/two.txt"
    printf 'paths: [{file: ./rows.csv}]' > "\${{outputs.table}}/MLTable"
    printf three > "\${{outputs.table}}/rows.csv"
    printf four > "\${{outputs.model}}/weights"`;
  const outputs = {
    file: { type: "uri_file", name: named("file"), version: "1" },
    folder: { type: "uri_folder", name: named("folder") },
    table: { type: "mltable", name: named("table") },
    model: { type: "custom_model", name: named("model") },
  };
  seed = await app.ended((await app.start({ seed: shell(command, { outputs }) })).runId);
  if (seed.status !== "completed") throw new Error(`the seed failed: ${seed.failure?.reason ?? seed.status}`);
});

/** Where the seed's output lies. */
const placeOf = (output: string) => nodeOf(seed, "seed").outputs?.[output] ?? "";

/** What every input holds, by its name: files by their paths, a plain file under `.`. */
async function found(inputs: Record<string, object>): Promise<Record<string, Record<string, string>>> {
  const read = Object.keys(inputs).map(
    (name) => `( if [ -d "\${{inputs.${name}}}" ]; then cd "\${{inputs.${name}}}"; find . -type f; else echo .; fi ) |
      while read -r path; do
        [ "$path" = . ] && from="\${{inputs.${name}}}" || from="\${{inputs.${name}}}/$path"
        printf '%s|%s|%s\\n' ${name} "$path" "$(cat "$from")" >> "\${{outputs.result}}/found"
      done`,
  );
  const run = await app.ended((await app.start({ reader: shell(read.join("\n"), { inputs, outputs: result }) })).runId);
  expect(run.failure).toBeUndefined();
  const lines = (await app.read(run.runId, "reader", "result", "found")).trim().split("\n");
  const all: Record<string, Record<string, string>> = {};
  for (const line of lines) {
    const [name = "", path = "", text = ""] = line.split("|");
    (all[name] ??= {})[path.replace(/^\.\//, "")] = text;
  }
  return all;
}

describe("registered data and models", () => {
  test("are read by version, label and id, and the run says what each name stood for", async () => {
    const inputs = {
      file: { type: "uri_file", path: `azureml:${named("file")}:1` },
      newest: { path: `azureml:${named("file")}@latest`, type: "uri_file" },
      by_id: { type: "uri_file", path: `azureml://data/${named("file")}/versions/1` },
      folder: { type: "uri_folder", path: `azureml:${named("folder")}@latest` },
      as_folder: { type: "uri_folder", path: `azureml:${named("table")}:1` },
      table: { type: "mltable", path: `azureml:${named("table")}:1`, mode: "eval_mount" },
      copied: { type: "mltable", path: `azureml:${named("table")}:1`, mode: "eval_download" },
      model: { type: "custom_model", path: `azureml:${named("model")}@latest` },
      model_by_id: { type: "custom_model", path: `azureml://models/${named("model")}/versions/1` },
      model_file: { type: "custom_model", path: `${placeOf("model")}weights` },
      misnamed: { type: "uri_folder", path: `azureml:${named("file")}:1` },
    };
    expect(await found(inputs)).toEqual({
      file: { ".": "one" },
      newest: { ".": "one" },
      by_id: { ".": "one" },
      folder: { "deep er/two.txt": "two" },
      as_folder: { MLTable: "paths: [{file: ./rows.csv}]", "rows.csv": "three" },
      table: { "rows.csv": "three" },
      copied: { "rows.csv": "three" },
      model: { weights: "four" },
      model_by_id: { weights: "four" },
      model_file: { ".": "four" },
      misnamed: { ".": "one" },
    });
    const run = await app.start({ a: shell("true", { inputs: { x: inputs.newest, y: inputs.model } }) });
    expect(run.assets).toEqual([
      {
        kind: "data",
        reference: inputs.newest.path,
        name: named("file"),
        version: "1",
        uri: placeOf("file"),
      },
      {
        kind: "model",
        reference: inputs.model.path,
        name: named("model"),
        version: "1",
        uri: placeOf("model"),
      },
    ]);
    expect((await app.ended(run.runId)).assets).toEqual(run.assets);
  });

  test("that are not there are told before anything starts, with what there is", async () => {
    const wrong = {
      version: { path: `azureml:${named("file")}:7` },
      name: { path: `azureml:${named("fiel")}:1` },
      label: { path: `azureml:${named("file")}@stable` },
      elsewhere: {
        path: "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/x/versions/1",
      },
    };
    const answer = await app.call("runs", {
      method: "POST",
      body: { pipeline: { type: "pipeline", jobs: { a: shell("true", { inputs: wrong }) } } },
    });
    expect(answer.status).toBe(400);
    const { issues } = (await answer.json()) as { issues: { path: string; message: string }[] };
    expect(Object.fromEntries(issues.map(({ path, message }) => [path.split(".")[3], message]))).toEqual({
      version: expect.stringContaining("it has 1"),
      name: expect.stringContaining(`did you mean \`azureml:${named("file")}\``),
      label: expect.stringContaining("no label but `latest`"),
      elsewhere: expect.stringContaining("another workspace"),
    });
  });
});

describe("places in storage", () => {
  const web = createServer((request, response) => {
    if (request.url === "/plain/words.txt") return void response.end("from the web");
    response.statusCode = 404;
    response.end("no");
  });
  let webUrl = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  });
  afterAll(() => web.close());

  /** Account, host and container of the workspace's store, and a blob service to write with. */
  async function storage() {
    const text = embedded?.storage.connectionString ?? "";
    const account = /AccountName=([^;]+)/.exec(text)?.[1] ?? "";
    const host = new URL(/BlobEndpoint=([^;]+)/.exec(text)?.[1] ?? "").host;
    const commits = (await controls?.commits()) ?? [];
    const container = commits.find(({ container: name }) => name.startsWith("azureml-blobstore-"))?.container ?? "";
    return { account, host, container, service: BlobServiceClient.fromConnectionString(text) };
  }

  test(
    "are read by every form of their address",
    onEmbedded(controls, async () => {
      const { account, host, container, service } = await storage();
      const path = (output: string) => placeOf(output).replace(/^.*\/paths\//, "");
      const open = service.getContainerClient(`open-${mark}`);
      await open.create({ access: "container" });
      await open.getBlockBlobClient("some/words.txt").upload("public", 6);
      const long =
        "azureml://subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/embedded/workspaces/mlpipe/datastores/workspaceblobstore/paths";
      const longArm = long.replace("/workspaces/", "/providers/Microsoft.MachineLearningServices/workspaces/");
      const inputs = {
        short: { type: "uri_file", path: placeOf("file") },
        long: { type: "uri_file", path: `${long}/${path("file")}` },
        long_arm: {
          type: "uri_folder",
          path: `${longArm.replace("resourcegroups", "resourceGroups")}/${path("folder")}`,
        },
        https: { type: "uri_file", path: `http://${host}/${account}/${container}/${path("file")}` },
        https_folder: { type: "uri_folder", path: `http://${host}/${account}/${container}/${path("folder")}` },
        wasbs: { type: "uri_file", path: `wasbs://${container}@${account}.blob.${host}/${path("file")}` },
        abfss: { type: "uri_folder", path: `abfss://${container}@${account}.dfs.${host}/${path("folder")}` },
        job: {
          type: "uri_folder",
          path: `azureml://jobs/${nodeOf(seed, "seed").jobName}/outputs/folder/paths/deep%20er`,
        },
        plain: { type: "uri_file", path: `${webUrl}/plain/words.txt` },
        public_file: { type: "uri_file", path: `wasbs://open-${mark}@${account}.blob.${host}/some/words.txt` },
        public_folder: { type: "uri_folder", path: `http://${host}/${account}/open-${mark}/some/` },
      };
      expect(await found(inputs)).toEqual({
        short: { ".": "one" },
        long: { ".": "one" },
        long_arm: { "deep er/two.txt": "two" },
        https: { ".": "one" },
        https_folder: { "deep er/two.txt": "two" },
        wasbs: { ".": "one" },
        abfss: { "deep er/two.txt": "two" },
        job: { "two.txt": "two" },
        plain: { ".": "from the web" },
        public_file: { ".": "public" },
        public_folder: { "words.txt": "public" },
      });
    }),
  );

  test(
    "that cannot be had fail the node that reads them, each with its reason",
    onEmbedded(controls, async () => {
      const wrong: Record<string, [object, RegExp]> = {
        web_folder: [{ type: "uri_folder", path: `https://example.org/data/` }, /one file and cannot be listed/],
        web_gone: [{ type: "uri_file", path: `${webUrl}/gone` }, /the server answered 404/],
        no_blob: [{ type: "uri_file", path: "azureml://datastores/workspaceblobstore/paths/none.csv" }, /not found/],
        no_folder: [{ path: "azureml://datastores/workspaceblobstore/paths/none/" }, /no blob below this folder/],
        no_store: [{ path: "azureml://datastores/nowhere/paths/x/" }, /no datastore named nowhere/],
        a_file: [{ type: "uri_folder", path: placeOf("file") }, /declare it as uri_file/],
        other: [
          { path: "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x/" },
          /another workspace/,
        ],
        registry: [
          { path: "azureml://registries/shared/data/x/versions/1" },
          /lies in the registry shared, which this workspace cannot reach/,
        ],
        no_table: [{ type: "mltable", path: placeOf("folder"), mode: "eval_mount" }, /MLTable|not found/],
      };
      const jobs = Object.fromEntries(
        Object.entries(wrong).map(([name, [input]]) => [name, shell("echo ${{inputs.x}}", { inputs: { x: input } })]),
      );
      const run = await app.ended((await app.start(jobs, { settings: { continue_on_step_failure: true } })).runId);
      const told = run.nodes.map(({ name, attempt, failure }) => [name, { attempt, reason: failure?.reason }]);
      const expected = Object.entries(wrong).map(([name, [, reason]]) => [
        name,
        // Trying again would be for nothing.
        { attempt: 1, reason: expect.stringMatching(reason) },
      ]);
      expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
      expect(JSON.stringify(told)).not.toContain("/tmp/");
    }),
  );
});

test("modes hand over the data itself, a copy, or its address", async () => {
  const folder = { type: "uri_folder", path: placeOf("folder") };
  const modes = ["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"];
  const write = 'printf changed > "${{inputs.download}}/deep er/two.txt" && printf new > "${{inputs.rw_mount}}/new"';
  const tell = modes.map((mode) => `echo "${mode} $(cat "\${{inputs.${mode}}}/deep er/two.txt" 2>&1 || true)"`);
  const command = `{ ${tell.join("; ")}; echo "\${{inputs.direct}}"; ${write}; } > "\${{outputs.result}}/told"`;
  const inputs = Object.fromEntries(modes.map((mode) => [mode, { ...folder, mode }]));
  const run = await app.ended((await app.start({ reader: shell(command, { inputs, outputs: result }) })).runId);
  expect(run.failure).toBeUndefined();
  const told = (await app.read(run.runId, "reader", "result", "told")).trim().split("\n");
  expect(told.filter((line) => line.endsWith(" two"))).toEqual(
    modes.filter((mode) => mode !== "direct").map((mode) => `${mode} two`),
  );
  expect(told.at(-1)).toBe(placeOf("folder"));
  // A copy that was written to is nobody else's.
  expect(await found({ again: folder })).toMatchObject({ again: { "deep er/two.txt": "two" } });
});
