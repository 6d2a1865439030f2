// Every feature of Azure ML's pipeline YAML, from files on this machine through the command line to what the programs saw.
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { RunDocument } from "#shared/api.ts";
import { runCli } from "#test/cli/run-cli.ts";
import { nodeOf, onEmbedded, sharedApp, shell } from "./app.ts";
import { workspacePath } from "./controls.ts";

const { app, controls } = sharedApp();
const folder = fileURLToPath(new URL("../fixtures/pipelines/features", import.meta.url));
const mlpipe = (...args: string[]) => runCli(args, { cwd: folder, env: { MLPIPE_URL: app.url, MLPIPE_KEY: app.key } });

describe("a pipeline with one of each", () => {
  let run: RunDocument;
  let said: string;
  const text = (node: string) => app.read(run.runId, node, "result", "text");
  const lines = async (node: string) => (await text(node)).trimEnd().split("\n");

  beforeAll(async () => {
    const { stdout, stderr } = await mlpipe("run", "pipeline.yml", "--watch", "--json");
    [run, said] = [RunDocument.parse(JSON.parse(stdout)), stderr];
  });

  test("completes, under its own names", () => {
    expect(run.failure).toBeUndefined();
    expect(run).toMatchObject({
      pipeline: "features",
      displayName: "every feature",
      experimentName: "features",
      status: "completed",
      tags: { kind: "features" },
    });
  });

  test("warns of keys that nobody knows, each with its place and what was likely meant", () => {
    expect(said).toMatch(/pipeline\.yml:\d+:3 settings\.default_datestore: .*did you mean `default_datastore`/);
    expect(said).toMatch(/pipeline\.yml:\d+:5 jobs\.settled\.unheard_of: .*no effect/);
    expect(said).toMatch(/pipeline\.yml:\d+:\d+ jobs\.right\.inputs\.none_such: .*no input `none_such`/);
    expect(said).not.toContain("comment");
  });

  test("takes components inline, beside it, with a `file:` prefix and as a mapping", async () => {
    const nodes = ["inline", "beside", "prefixed", "mapped"];
    expect(await Promise.all(nodes.map(text))).toEqual(["hello world", "beside", "prefixed", "mapped"]);
  });

  test("coerces values by their declared types, fills in defaults and leaves out what is optional", async () => {
    const given = ["--size", "7", "--rate", "0.001", "--flag", "True", "--color", "red"];
    expect(await lines("all_given")).toEqual([...given, "--extra", "it's", "--both", "it's 2"]);
    // A group's input, another node's input, defaults.
    const few = ["--size", "7", "--rate", "0.5", "--flag", "False", "--color", "green"];
    expect(await lines("few_given")).toEqual(few);
  });

  test("understands bindings without `parent.`", async () => {
    expect(await text("older")).toBe("beside hello world");
  });

  test("hands data of every type from node to node, and the artifacts of a job", async () => {
    expect(await lines("reads")).toEqual([
      "file",
      "folder",
      "mlflow",
      "custom",
      "triton",
      "rowsMLTable",
      "rows",
      "report",
      "seed",
    ]);
  });

  test("places outputs where it says, macros filled in", () => {
    const job = nodeOf(run, "prefixed").jobName;
    expect(run.outputs).toEqual({
      plain: nodeOf(run, "inline").outputs?.["result"],
      placed: `azureml://datastores/workspaceblobstore/paths/features/${job}/result/`,
      inner: nodeOf(run, "left.deeper.note").outputs?.["result"],
    });
  });

  test("takes in code from elsewhere and leaves out what .amlignore says", async () => {
    const files = ["./deep/kept.txt", "./kept.txt", "./lib/shared.txt", "./note.yml", "./run.sh"];
    expect(await lines("listing")).toEqual([...files, "ran"]);
  });

  test("runs a sub-pipeline twice, and one inside it", async () => {
    expect(await text("left.deeper.note")).toBe("left deeper");
    expect(await text("right.deeper.note")).toBe("left deeper right deeper");
    expect(nodeOf(run, "right.note").dependsOn).toEqual(["left.deeper.note"]);
  });

  test("runs the node of `on_init` before and that of `on_finalize` after all others", () => {
    const others = run.nodes.filter(({ name }) => name !== "first" && name !== "last");
    const first = nodeOf(run, "first").endTime ?? "";
    const last = nodeOf(run, "last").startTime ?? "";
    expect(others.filter(({ startTime = "" }) => startTime < first)).toEqual([]);
    expect(others.filter(({ endTime = "~" }) => endTime > last)).toEqual([]);
  });

  test("gives programs their environment variables and those of their distribution", async () => {
    expect(await lines("settled")).toEqual(["hello world/3/1"]);
    expect(JSON.parse(await text("tensorflow"))).toMatchObject({ task: { type: "worker", index: 0 } });
    expect(await text("mpi")).toBe("mpi");
  });

  test(
    "says the rest to the service in its own words",
    onEmbedded(controls, async ({ resource }) => {
      const { properties } = await resource(`jobs/${nodeOf(run, "settled").jobName}`);
      expect(properties).toMatchObject({
        displayName: "hello world",
        experimentName: "features",
        computeId: `${workspacePath}/computes/cpu-cluster`,
        environmentVariables: { GREETING: "hello world", WHOLE: "3" },
        resources: { instanceType: "Standard_DS3_v2", instanceCount: 1, shmSize: "3g", properties: { kept: "yes" } },
        limits: { jobLimitsType: "Command", timeout: "PT600S" },
        distribution: { distributionType: "PyTorch", processCountPerInstance: 1 },
        identity: { identityType: "UserIdentity" },
        services: { notebook: { jobServiceType: "JupyterLab", nodes: { nodesValueType: "All" } } },
        queueSettings: { jobTier: "Standard" },
        tags: { of: "node", "mlpipe.node": "settled" },
      });
      const mpi = await resource(`jobs/${nodeOf(run, "mpi").jobName}`);
      expect(mpi.properties).toMatchObject({ distribution: { distributionType: "Mpi", processCountPerInstance: 1 } });
      expect(mpi.properties["computeId"]).toBeUndefined();
    }),
  );
});

describe("a pipeline job that is a component", () => {
  test("runs the component's nodes with its own inputs", async () => {
    const { stdout } = await mlpipe("run", "top.yml", "-i", "before=texts", "--watch", "--json");
    const run = RunDocument.parse(JSON.parse(stdout));
    expect(run.nodes.map(({ name, status }) => [name, status])).toEqual([
      ["note", "completed"],
      ["deeper.note", "completed"],
    ]);
    expect(await app.read(run.runId, "deeper.note", "result", "text")).toBe("given top deeper");
  });
});

test("values outside their limits are told at once, each with its place", async () => {
  const { code, stderr } = await mlpipe("validate", "wrong.yml");
  expect(code).toBe(2);
  expect(stderr.split("\n").filter((line) => line.startsWith("error"))).toEqual([
    "error: wrong.yml:4:52 jobs.values.inputs.size: 11 is above the maximum 10",
    "error: wrong.yml:4:62 jobs.values.inputs.rate: expected a number, got the text `fast`",
    "error: wrong.yml:4:74 jobs.values.inputs.flag: expected true or false, got the text `maybe`",
    "error: wrong.yml:4:88 jobs.values.inputs.color: expected one of `red`, `green`, got the text `blue`",
  ]);
});

test(
  "unknown keys survive a registration, and an ARM id names a component",
  onEmbedded(controls, async ({ resource }) => {
    const name = `kept_${crypto.randomUUID().slice(0, 8)}`;
    const component = { ...shell("printf kept > ${{outputs.result}}/text"), name, unheard_of: { kept: [1, "2"] } };
    const document = { ...component, outputs: { result: { type: "uri_folder" } } };
    const answer = await app.call(`components/${name}?version=1`, { method: "PUT", body: { document } });
    expect(answer.status).toBe(200);
    const { properties } = await resource(`components/${name}/versions/1`);
    expect(properties["componentSpec"]).toMatchObject({ unheard_of: { kept: [1, "2"] } });
    const byId = { component: `azureml:${workspacePath}/components/${name}/versions/1` };
    const run = await app.ended((await app.start({ byId })).runId);
    expect(await app.read(run.runId, "byId", "result", "text")).toBe("kept");
  }),
);
