import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Issue, formatIssue } from "#shared/errors.ts";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { loadPipeline, parsePipeline, withUploads } from "#shared/domain/load-pipeline.ts";
import { createFileSource } from "#shared/files.ts";
import { inMemoryFiles } from "#test/fixtures/in-memory-files.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/pipelines");
const load = (path: string) => loadPipeline(path, createFileSource(fixtures));
const texts = (issues: readonly Issue[]) => issues.map(formatIssue);

describe("a pipeline with its files", () => {
  test("becomes one JSON document that compiles to the same plan without them", async () => {
    const { document, localReferences, issues } = await load("flow/pipeline.yml");
    expect(issues).toEqual([]);
    if (document === undefined) throw new Error("no document");
    const uris = Object.fromEntries(
      localReferences.map(({ token }, index) => {
        const hash = String(index).repeat(64);
        return [token, { uri: `azureml://datastores/workspaceblobstore/paths/mlpipe/uploads/${hash}/`, hash }];
      }),
    );
    const whole = withUploads(document, uris);
    const posted = await parsePipeline(JSON.parse(JSON.stringify(whole)) as Record<string, unknown>);
    expect(posted.issues).toEqual([]);
    if (posted.document === undefined) throw new Error("no document");
    const here = await compilePlan(whole, { inputs: {} });
    expect(here.plan?.nodes[0]?.code).toEqual({ kind: "upload", uri: uris["local:1"]?.uri, hash: "0".repeat(64) });
    expect(await compilePlan(posted.document, { inputs: {} })).toEqual(here);
  });

  test("lists what has to be uploaded once, with who asks for it first", async () => {
    const { localReferences } = await load("flow/pipeline.yml");
    expect(localReferences).toEqual([
      {
        token: "local:1",
        kind: "code",
        path: "flow/prep/src",
        additionalIncludes: ["flow/shared_code"],
        usedBy: "jobs.prep.component.code",
      },
      { token: "local:2", kind: "data", path: "flow/data/labels.csv", usedBy: "jobs.prep.inputs.labels.path" },
      { token: "local:3", kind: "code", path: "flow/fit/src", usedBy: "jobs.fit.component.code" },
      { token: "local:4", kind: "data", path: "flow/data", usedBy: "inputs.images.path" },
    ]);
  });

  test("a single file of data keeps its name behind the uploaded folder", async () => {
    const { document } = await load("flow/pipeline.yml");
    if (document === undefined) throw new Error("no document");
    const uploaded = withUploads(document, { "local:2": { uri: "azureml://datastores/d/paths/x/", hash: "" } });
    expect(uploaded).toMatchObject({
      jobs: { prep: { inputs: { labels: { path: "azureml://datastores/d/paths/x/labels.csv" } } } },
    });
  });

  test("a placeholder's text elsewhere is the author's own", () => {
    const document = { type: "pipeline", inputs: { x: "local:1" }, jobs: { a: { code: "local:1" } } } as const;
    expect(withUploads(document, { "local:1": { uri: "u", hash: "" } })).toEqual({
      type: "pipeline",
      inputs: { x: "local:1" },
      jobs: { a: { code: "u" } },
    });
  });

  test("is named after its file, or its folder where every file is called pipeline.yml", async () => {
    expect((await load("flow/pipeline.yml")).document?.name).toBe("flow");
    expect((await parsePipeline("type: pipeline\njobs: {}", { file: "nightly run.yml" })).document?.name).toBe(
      "nightly_run",
    );
    expect((await load("nested/outer.yml")).document?.name).toBe("outer");
  });

  test("a standalone job becomes a pipeline of one node whose inputs can be given", async () => {
    const { document, issues } = await load("single/job.yml");
    expect(issues).toEqual([]);
    if (document === undefined) throw new Error("no document");
    const { plan } = await compilePlan(document, { inputs: { count: 7 } });
    expect(plan?.nodes.map(({ name }) => name)).toEqual(["job"]);
    expect(plan?.nodes[0]?.inputs).toEqual({
      csv: { kind: "data", type: "uri_file", uri: "https://example.com/iris.csv", mode: "ro_mount" },
      name: { kind: "literal", value: "plain words" },
      count: { kind: "literal", value: "7" },
    });
    expect(plan?.outputs).toEqual({ result: { node: "job", output: "result" } });
  });
});

describe("everything wrong is told at once", () => {
  test("with place, path, what was expected and the nearest right name", async () => {
    const { document, issues } = await load("broken/pipeline.yml");
    expect(document).toBeDefined();
    expect(texts(issues).toSorted()).toEqual(
      [
        "broken/component.yml:10:7 jobs.prep.component.code: there is no file or folder broken/nothing",
        "broken/component.yml:11:37 jobs.prep.component.environment.conda_file: there is no file broken/none.yml",
        "broken/component.yml:12:10 jobs.prep.component.command: the optional input `training` has no value; put what needs it between `$[[` and `]]`",
        "broken/component.yml:9:18 jobs.prep.component.outputs.result.type: `uri_fold` is no type; it can be string, number, integer, boolean, uri_file, uri_folder, mltable, mlflow_model, custom_model, triton_model (did you mean `uri_folder`?)",
        "broken/pipeline.yml:11:16 jobs.prep.inputs.trainng: the pipeline has no input `trainig_data` (did you mean `training_data`?)",
        "broken/pipeline.yml:11:7 jobs.prep.inputs.trainng: the component has no input `trainng`; it has no effect (did you mean `training`?)",
        "broken/pipeline.yml:15:12 jobs.train.inputs.raw: node `prep` has no output `reslt` (did you mean `result`?)",
        "broken/pipeline.yml:16:13 jobs.train.inputs.rate: expected a number, got the text `fast`",
        "broken/pipeline.yml:17:13 jobs.train.inputs.mode: expected one of `fast`, `slow`, got the text `slwo` (did you mean `slow`?)",
        "broken/pipeline.yml:18:33 jobs.train.resources.instance_count: expected a whole number above 0, got the text `two`",
        "broken/pipeline.yml:20:14 jobs.score.command: `${{inputs.z}}`: there is no input `z`; there is `x`, `y`",
        "broken/pipeline.yml:20:5 jobs.score: has no `environment`",
        "broken/pipeline.yml:23:10 jobs.score.inputs.y: a binding must be the whole value, not a part of `a ${{parent.inputs.epochs}} b`",
        "broken/pipeline.yml:25:17 jobs.other.type: `comand` is no kind of node; it can be command, pipeline, sweep, parallel, spark, automl, import, data_transfer, if_else, parallel_for, do_while (did you mean `command`?)",
        "broken/pipeline.yml:26:21 jobs.lost.component: there is no file broken/lost.yml",
        "broken/pipeline.yml:2:1 display_nam: `display_nam` is not known here; it has no effect (did you mean `display_name`?)",
        "broken/pipeline.yml:4:43 inputs.training_data.path: there is no file or folder broken/nowhere",
        "broken/pipeline.yml:5:36 inputs.epochs.default: expected a whole number, got the text `ten`",
        "broken/pipeline.yml:7:3 jobs.prep: the nodes wait for each other: prep -> score -> train -> prep",
        "broken/self.yml:3:38 jobs.self.component.jobs.again.component: the component holds itself: broken/self.yml -> broken/self.yml",
      ].toSorted(),
    );
  });

  test("with the YAML error's own place", async () => {
    const files = inMemoryFiles({
      "p.yml": "type: pipeline\njobs:\n  a: {component: ./c.yml}\n",
      "c.yml": "name: c\nname: d\n",
    });
    const { issues } = await loadPipeline("p.yml", files);
    expect(texts(issues)).toContain("c.yml:2:1: the key `name` stands here a second time; the first is in line 1");
  });

  test("a file that is not there, is too long or is no UTF-8", async () => {
    expect(texts((await load("nowhere.yml")).issues)).toEqual(["there is no file nowhere.yml"]);
  });
});

test("a JSON document's files lie beside the file it says it is", async () => {
  const files = inMemoryFiles({ "flows/c.yml": "name: c\nenvironment: azureml:e:1\ncommand: x" });
  const { document, issues } = await parsePipeline(
    { type: "pipeline", jobs: { a: { component: "./c.yml" } } },
    { file: "flows/p.json", files },
  );
  expect(issues).toEqual([]);
  expect(document).toMatchObject({ jobs: { a: { component: { name: "c" } } } });
});

describe("a document that came without files", () => {
  test.each([
    ["component: ./c.yml", "`./c.yml` is a file, and this document came without files beside it"],
    [
      "{command: x, environment: 'azureml:e:1', code: ./src}",
      "`./src` is a file, and this document came without files beside it",
    ],
    ["{command: x, environment: ./env.yml}", "`./env.yml` is a file"],
    ["{command: x, environment: {image: i, conda_file: conda.yml}}", "`conda.yml` is a file"],
    ["{command: x, environment: 'azureml:e:1', code: 'local:1'}", "`local:1` was never uploaded"],
    [
      "{command: x, environment: 'azureml:e:1', inputs: {d: {path: 'local:2/a.csv'}}}",
      "`local:2/a.csv` was never uploaded",
    ],
  ])("cannot name one: %s", async (node, message) => {
    const text = node.startsWith("{") ? `type: pipeline\njobs: {a: ${node}}` : `type: pipeline\njobs: {a: {${node}}}`;
    const { issues } = await parsePipeline(text);
    expect(issues.filter(({ severity }) => severity === "error").map(({ message: told }) => told)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test.each([
    ["a list", "- a", "expected a pipeline, got a list"],
    ["a text", "hello", "expected a pipeline, got the text `hello`"],
    ["nothing", "", "is empty; a mapping was expected"],
  ])("cannot be %s", async (_, text, message) => {
    expect((await parsePipeline(text)).issues.map((issue) => issue.message)).toEqual([message]);
  });

  test("is refused as JSON that is too deep, too large or holds itself", async () => {
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 100_000; level++) deep = { deep };
    expect((await parsePipeline(deep)).issues[0]?.message).toBe("is nested too deep, or holds itself");
    const itself: Record<string, unknown> = {};
    itself.self = itself;
    expect((await parsePipeline(itself)).issues[0]?.message).toBe("is nested too deep, or holds itself");
    const large = { list: Array<number>(600_000).fill(1) };
    expect((await parsePipeline(large)).issues[0]?.message).toBe("holds more than 500000 values");
  });
});

test("files that include each other twice over do not make a document of a billion nodes", async () => {
  const files: Record<string, string> = {
    "level0.yml": "type: pipeline\njobs: {a: {command: x, environment: 'azureml:e:1'}}",
  };
  for (let level = 1; level < 19; level++) {
    files[`level${level}.yml`] =
      `type: pipeline\njobs: {a: {component: level${level - 1}.yml}, b: {component: level${level - 1}.yml}, c: {component: level${level - 1}.yml}}`;
  }
  const { document, issues } = await loadPipeline("level18.yml", inMemoryFiles(files));
  expect(document).toBeUndefined();
  expect(issues.map(({ message }) => message)).toEqual([
    "the pipeline holds more than 500000 values once its components are written out",
  ]);
});
