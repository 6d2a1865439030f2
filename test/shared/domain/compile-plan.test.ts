import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatIssue } from "#shared/errors.ts";
import { type AssetResolver, type CompileOptions, compilePlan } from "#shared/domain/compile-plan.ts";
import { loadPipeline, parsePipeline } from "#shared/domain/load-pipeline.ts";
import { Plan, type PlanNode, graphOf } from "#shared/domain/plan.ts";
import { createFileSource } from "#shared/files.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/pipelines");

async function compileFixture(path: string, options: Partial<CompileOptions> = {}) {
  const { document, issues } = await loadPipeline(path, createFileSource(fixtures));
  if (document === undefined || issues.length > 0) throw new Error(issues.map(formatIssue).join("\n"));
  return compilePlan(document, { inputs: {}, ...options });
}

async function compileText(text: string, options: Partial<CompileOptions> = {}) {
  const { document, issues } = await parsePipeline(text);
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return compilePlan(document, { inputs: {}, ...options });
}

async function planOf(compiled: ReturnType<typeof compilePlan>): Promise<Plan> {
  const result = await compiled;
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  return Plan.parse(result.plan);
}

const nodeNamed = (plan: Plan, name: string): PlanNode => {
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
};

async function problems(compiled: ReturnType<typeof compilePlan>): Promise<string[]> {
  const result = await compiled;
  return (result.plan === undefined ? result.issues : result.warnings).map(formatIssue);
}

describe("a pipeline of command nodes", () => {
  test("carries its own facts and puts every node after those it reads", async () => {
    const plan = await planOf(compileFixture("flow/pipeline.yml", { tags: { run: "now", owner: "me" } }));
    expect(plan).toMatchObject({
      pipeline: "flow",
      displayName: "Garments",
      experimentName: "garments",
      tags: { owner: "me", year: "2026", run: "now" },
      settings: { continueOnStepFailure: true, forceRerun: false },
      outputs: { model: { node: "fit", output: "model" }, report: { node: "report", output: "page" } },
    });
    expect(plan.nodes.map(({ name }) => name)).toEqual(["prep", "fit", "report"]);
    expect(graphOf(plan).nodes.map(({ dependsOn }) => dependsOn)).toEqual([[], ["prep"], ["fit"]]);
  });

  test("resolves inputs by their declarations: given, bound, default, absent", async () => {
    const plan = await planOf(compileFixture("flow/pipeline.yml"));
    expect(nodeNamed(plan, "prep").inputs).toEqual({
      images: { kind: "data", type: "uri_folder", uri: "local:4", mode: "download" },
      labels: { kind: "data", type: "uri_file", uri: "local:2/labels.csv", mode: "ro_mount" },
    });
    expect(nodeNamed(plan, "fit").inputs).toEqual({
      table: { kind: "output", type: "mltable", node: "prep", output: "table", mode: "direct" },
      epochs: { kind: "literal", value: "3" },
      rate: { kind: "literal", value: "0.001" },
      shuffle: { kind: "literal", value: "True" },
      schedule: { kind: "literal", value: "cosine" },
      momentum: { kind: "literal", value: "0.0" },
    });
    expect(nodeNamed(plan, "report").inputs).toEqual({
      model: { kind: "output", type: "mlflow_model", node: "fit", output: "model", mode: "ro_mount" },
      epochs: { kind: "literal", value: "3" },
      logs: { kind: "output", type: "uri_folder", node: "fit", output: "artifacts", mode: "ro_mount" },
    });
  });

  test("lets bindings stand in any field and sizes fall back", async () => {
    const plan = await planOf(compileFixture("flow/pipeline.yml", { inputs: { nodes: 4 } }));
    const fit = nodeNamed(plan, "fit");
    expect(fit).toMatchObject({
      component: { name: "fit", version: "2" },
      isDeterministic: false,
      resources: {
        instanceTypes: ["Standard_NC6s_v3", "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4"],
        instanceCount: 4,
        shmSize: "4g",
      },
      timeoutSeconds: 3600,
      environmentVariables: { TF_CPP_MIN_LOG_LEVEL: "2", VERBOSE: "True" },
      distribution: { type: "pytorch", process_count_per_instance: 1 },
      identity: { type: "managed" },
      services: { board: { type: "tensor_board", log_dir: "outputs/tb" } },
      queueSettings: { job_tier: "spot" },
      outputs: { model: { type: "mlflow_model", mode: "upload", assetName: "garment-model", assetVersion: "7" } },
    });
    expect(fit.compute).toBeUndefined();
    expect(fit.outputs.artifacts).toEqual({ type: "uri_folder", mode: "rw_mount", isArtifacts: true });
    expect(nodeNamed(plan, "prep").compute).toBe("cpu-cluster");
  });

  test("carries environments whole, a conda file exactly as written", async () => {
    const plan = await planOf(compileFixture("flow/pipeline.yml"));
    expect(nodeNamed(plan, "prep").environment).toEqual({
      kind: "inline",
      image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
      condaFile: "name: prep\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - numpy\n",
    });
    expect(nodeNamed(plan, "fit").environment).toMatchObject({
      kind: "inline",
      name: "fit-environment",
      image: "python:3.11",
    });
    expect(nodeNamed(plan, "report").environment).toEqual({
      kind: "asset",
      id: "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
    });
  });
});

describe("sub-pipelines", () => {
  test("are flattened, the same one twice, with inputs, outputs and computes handed through", async () => {
    const plan = await planOf(compileFixture("nested/pipeline.yml"));
    expect(plan.nodes.map(({ name }) => name)).toEqual([
      "begin",
      "left.take",
      "left.make",
      "right.take",
      "right.make",
      "show",
      "finish",
    ]);
    expect(nodeNamed(plan, "left.take")).toMatchObject({
      compute: "small",
      inputs: { count: { value: "3" }, source: { kind: "data", type: "uri_file", uri: "azureml:readings@latest" } },
      forceRerun: false,
    });
    expect(nodeNamed(plan, "right.take")).toMatchObject({
      compute: "big",
      inputs: { count: { value: "7" }, source: { kind: "output", node: "left.make", output: "made" } },
      forceRerun: true,
    });
    expect(nodeNamed(plan, "right.make").outputs.made).toEqual({
      type: "custom_model",
      mode: "upload",
      path: "azureml://datastores/models/paths/${{name}}/",
    });
    expect(nodeNamed(plan, "show")).toMatchObject({
      inputs: { made: { kind: "output", node: "right.make", output: "made" }, count: { value: "3" } },
      outputs: { artifacts: { isArtifacts: true } },
    });
    expect(plan.outputs).toEqual({
      best: { node: "right.make", output: "made" },
      log: { node: "show", output: "artifacts" },
    });
  });

  test("nodes that begin and finish are tied to all others", async () => {
    const plan = await planOf(compileFixture("nested/pipeline.yml"));
    const graph = graphOf(plan);
    expect(graph.onFinalize).toBe("finish");
    expect(graph.nodes.find(({ name }) => name === "left.take")?.dependsOn).toEqual(["begin"]);
    const finish = graph.nodes.find(({ name }) => name === "finish");
    expect(finish?.dependsOn).toEqual(["begin", "left.take", "left.make", "right.take", "right.make", "show"]);
    expect(finish?.optionalDependsOn).toEqual(finish?.dependsOn);
  });

  test("an output that nobody inside makes is told where it is read", async () => {
    const text = `
type: pipeline
jobs:
  sub: {type: pipeline, component: {type: pipeline, outputs: {o: {type: uri_folder}}, jobs: {a: {command: x, environment: "azureml:e:1"}}}}
  use: {command: "ls \${{inputs.i}}", environment: "azureml:e:1", inputs: {i: "\${{parent.jobs.sub.outputs.o}}"}}`;
    expect(await problems(compileText(text))).toEqual([
      "5:78 jobs.use.inputs.i: no node of the sub-pipeline `sub` makes its output `o`",
    ]);
  });
});

describe("inputs given with the request", () => {
  const text = `
type: pipeline
inputs:
  data: {type: uri_folder}
  epochs: {type: integer, default: 3, min: 1}
  note: {type: string, optional: true}
jobs:
  a:
    command: run \${{inputs.data}} \${{inputs.epochs}} $[[\${{inputs.note}}]]
    environment: azureml:e:1
    inputs: {data: "\${{parent.inputs.data}}", epochs: "\${{parent.inputs.epochs}}", note: "\${{parent.inputs.note}}"}`;
  const uri = "azureml://datastores/d/paths/x/";

  test("fill in what the document leaves open", async () => {
    const plan = await planOf(compileText(text, { inputs: { data: { path: uri, mode: "download" }, epochs: "5" } }));
    expect(plan.nodes[0]?.inputs).toEqual({
      data: { kind: "data", type: "uri_folder", uri, mode: "download" },
      epochs: { kind: "literal", value: "5" },
    });
    expect((await planOf(compileText(text, { inputs: { data: uri, note: "x" } }))).nodes[0]?.inputs).toMatchObject({
      data: { uri },
      note: { value: "x" },
    });
  });

  test.each([
    [{}, "4:3 inputs.data: the input `data` (uri_folder) has no value; give it when the run starts"],
    [{ data: "./here" }, "inputs.data: `./here` is a local path; upload it and give the URI"],
    [{ data: 3 }, "inputs.data: expected data (uri_folder), got `3`; write `{type: uri_folder, path: ...}`"],
    [{ data: uri, epochs: 0 }, "inputs.epochs: 0 is below the minimum 1"],
    [{ data: uri, epochs: { path: uri } }, "inputs.epochs: expected a integer, got data"],
    [{ data: uri, epoch: 2 }, "inputs.epoch: the pipeline has no input `epoch` (did you mean `epochs`?)"],
    [{ data: { path: uri, type: "folder" } }, "inputs.data.type: the text `folder` is no data type"],
  ])("%j is told", async (inputs, expected) => {
    expect(await problems(compileText(text, { inputs }))).toEqual([expected]);
  });
});

describe("a number for an enum of texts", () => {
  const text = `
type: pipeline
inputs: {n: 224}
jobs:
  a:
    component:
      {name: c, command: "echo \${{inputs.crop}}", environment: "azureml:e:1", inputs: {crop: {type: string, enum: ["True", "False"]}}}
    inputs: {crop: VALUE}`;
  const expected = "expected one of `True`, `False`, got the text `224`";

  test("is taken with a warning where the author wrote it", async () => {
    const compiled = compileText(text.replace("VALUE", "224"));
    expect(nodeNamed(await planOf(compiled), "a").inputs).toEqual({ crop: { kind: "literal", value: "224" } });
    expect(await problems(compiled)).toEqual([expect.stringContaining(expected)]);
  });

  test.each(["'224'", "'${{parent.inputs.n}}'"])("is refused as %s", async (value) => {
    const result = await compileText(text.replace("VALUE", value));
    expect(result.plan).toBeUndefined();
  });
});

describe("what cannot run", () => {
  test("every node of a kind that does not run says so by name, and why", async () => {
    const names = ["cluster_job", "models", "fetch", "copy"];
    const { document } = await loadPipeline("kinds/pipeline.yml", createFileSource(fixtures));
    const all = document?.jobs as Record<string, unknown>;
    const jobs = Object.fromEntries(["search", "batches", ...names].map((name) => [name, all[name]]));
    const result = await compilePlan({ type: "pipeline", inputs: document?.inputs, jobs }, { inputs: {} });
    const told = (result.plan === undefined ? result.issues : result.refusals).map(formatIssue);
    for (const name of names)
      expect(told.filter((line) => line.includes(`node \`${name}\` cannot run: it is a`))).toHaveLength(1);
    const planned = result.plan?.nodes.filter(({ refusal }) => refusal !== undefined).map(({ name }) => name);
    expect(planned?.toSorted()).toEqual(names.toSorted());
  });

  test("a value that the command's shell would evaluate", async () => {
    const text = `
type: pipeline
inputs: {n: "a[$(id)]"}
jobs: {a: {command: "echo $(( \${{inputs.n}} ))", environment: "azureml:e:1", inputs: {n: "\${{parent.inputs.n}}"}}}`;
    expect(await problems(compileText(text))).toEqual([
      "4:21 jobs.a.command: input `n` stands in shell arithmetic, so its value must be a number; hand it over as an argument of its own instead",
    ]);
  });

  test.each([
    ["inputs: {x: '${{parent.jobs.a.inputs.x}}'}", "`a.inputs.x` is defined by itself"],
    ["inputs: {x: '${{parent.jobs.b.outputs.y}}'}", "there is no node `b`; there is `a`"],
    [
      "inputs: {x: '${{parent.outputs.y}}'}",
      "an input cannot read an output of the pipeline; read the node's that makes it",
    ],
    ["outputs: {x: '${{parent.outputs.y}}'}", "the pipeline has no output `y`"],
    ["compute: '${{parent.jobs.a.outputs.x}}'", "only inputs can read another node's output"],
    ["compute: local", "`local` is no compute of a workspace; leave it out, or write `azureml:serverless`"],
    ["code: git+https://example.com/x.git", "code in a git repository is not fetched; clone it and name the folder"],
    ["component: azureml:step:1", "`azureml:step:1` is registered in a workspace, and there is none to look it up in"],
  ])("%s", async (field, message) => {
    const told = await problems(
      compileText(`type: pipeline\njobs: {a: {command: x, environment: 'azureml:e:1', ${field}}}`),
    );
    expect(told.some((line) => line.endsWith(message) || line.includes(`${message} (did`))).toBe(true);
  });

  test("more nodes than a run can hold", async () => {
    const jobs = Array.from({ length: 10_001 }, (_, index) => `n${index}: {command: x, environment: "azureml:e:1"}`);
    const document = {
      type: "pipeline",
      jobs: Object.fromEntries(jobs.map((_, index) => [`n${index}`, { command: "x", environment: "azureml:e:1" }])),
    } as const;
    expect(await problems(compilePlan(document, { inputs: {} }))).toEqual([
      "jobs: the pipeline has more than 10000 nodes",
    ]);
  });
});

describe("what is registered", () => {
  const step = {
    type: "command",
    name: "step",
    version: "3",
    inputs: { n: { type: "integer" } },
    environment: "azureml:e:1",
    command: "run ${{inputs.n}}",
  };
  const assets: AssetResolver = {
    component: async (reference) =>
      ({
        "azureml:step@latest": step,
        "azureml:flow:1": { type: "pipeline", jobs: { inner: { component: "azureml:step@latest", inputs: { n: 2 } } } },
      })[reference],
    data: async (reference) =>
      reference === "azureml:iris:1" ? { uri: "azureml://datastores/d/paths/iris.csv", type: "uri_file" } : undefined,
  };

  test("is looked up, registered things inside registered things too", async () => {
    const text = `
type: pipeline
jobs:
  sub: {type: pipeline, component: azureml:flow:1}
  data: {command: "cat \${{inputs.d}}", environment: "azureml:e:1", inputs: {d: {path: azureml:iris:1}}}`;
    const plan = await planOf(compileText(text, { assets }));
    expect(nodeNamed(plan, "sub.inner")).toMatchObject({
      component: { name: "step", version: "3" },
      inputs: { n: { value: "2" } },
    });
    expect(nodeNamed(plan, "data").inputs.d).toEqual({
      kind: "data",
      type: "uri_file",
      uri: "azureml://datastores/d/paths/iris.csv",
      mode: "ro_mount",
    });
  });

  test("is written into the plan as what it was, once, and without a signature", async () => {
    const environment = async (reference: string) =>
      reference === "azureml:e@latest" ? { name: "e", version: "4", id: "/arm/e/4" } : undefined;
    const data = async (reference: string) => ({
      uri: "https://account.blob.core.windows.net/c/x?sv=1&sig=secret",
      type: "uri_file",
      asset: { kind: "data" as const, name: reference.slice("azureml:".length, -2), version: "1" },
    });
    const text = `
type: pipeline
jobs:
  a: {component: azureml:step@latest, inputs: {n: 1}}
  b: {component: azureml:step@latest, inputs: {n: 2}}
  c: {command: "cat \${{inputs.d}}", environment: "azureml:e@latest", inputs: {d: {path: azureml:iris:1, type: uri_folder}}}`;
    const registeredAs = { reference: "flow", version: "9" };
    const plan = await planOf(
      compileText(text, { name: "flow", registeredAs, assets: { ...assets, data, environment } }),
    );
    expect(plan.assets).toEqual([
      { kind: "pipeline", reference: "flow", name: "flow", version: "9" },
      { kind: "component", reference: "azureml:step@latest", name: "step", version: "3" },
      {
        kind: "data",
        reference: "azureml:iris:1",
        name: "iris",
        version: "1",
        uri: "https://account.blob.core.windows.net/c/x",
      },
      { kind: "environment", reference: "azureml:e@latest", name: "e", version: "4" },
    ]);
    expect(nodeNamed(plan, "c").environment).toEqual({ kind: "asset", id: "/arm/e/4" });
    // A file is no folder, whatever the author calls it.
    expect(nodeNamed(plan, "c").inputs["d"]).toMatchObject({ type: "uri_file" });
  });

  test("says why there is no such thing where that is known", async () => {
    const explain = async (kind: string, reference: string) => `${kind} ${reference} has 1, 2`;
    const text = `type: pipeline\njobs: {a: {component: "azureml:stepp:1"}}`;
    expect(await problems(compileText(text, { assets: { ...assets, explain } }))).toEqual([
      "2:23 jobs.a.component: there is no registered component `azureml:stepp:1`: component azureml:stepp:1 has 1, 2",
    ]);
  });

  test("and named when there is no such thing", async () => {
    const text = `
type: pipeline
inputs: {d: {type: uri_file, path: azureml:none:1}}
jobs: {a: {component: "azureml:stepp:1", inputs: {d: "\${{parent.inputs.d}}"}}}`;
    expect(await problems(compileText(text, { assets }))).toEqual([
      "3:36 inputs.d.path: there is no registered data asset `azureml:none:1`",
      "4:23 jobs.a.component: there is no registered component `azureml:stepp:1`",
    ]);
  });
});

test("an optional input may outlive the failure of the node it reads", async () => {
  const text = `
type: pipeline
jobs:
  a: {command: "x \${{outputs.o}}", environment: "azureml:e:1", outputs: {o: }}
  b:
    component: {type: command, name: b, inputs: {i: {type: uri_folder, optional: true}}, environment: "azureml:e:1", command: "y $[[\${{inputs.i}}]]"}
    inputs: {i: "\${{parent.jobs.a.outputs.o}}"}`;
  const graph = graphOf(await planOf(compileText(text)));
  expect(graph.nodes[1]).toMatchObject({ dependsOn: ["a"], optionalDependsOn: ["a"] });
});

test("a node's own list of sizes wins over the table's, and is not sent on", async () => {
  const resources = `{instance_type: Standard_NC6s_v3, properties: {kept: 1, mlpipe: {instance_type_fallbacks: [Standard_D4s_v5]}}}`;
  const text = `type: pipeline\njobs: {a: {command: x, environment: "azureml:e:1", resources: ${resources}}}`;
  expect((await planOf(compileText(text))).nodes[0]?.resources).toEqual({
    instanceTypes: ["Standard_NC6s_v3", "Standard_D4s_v5"],
    instanceCount: 1,
    properties: { kept: 1 },
  });
});

test("unknown keys are told and survive", async () => {
  const text = `type: pipeline\nsettings: {default_datestore: x}\njobs: {a: {command: x, environment: "azureml:e:1", commnt: y}}`;
  const { document } = await parsePipeline(text);
  expect(document).toMatchObject({ settings: { default_datestore: "x" }, jobs: { a: { commnt: "y" } } });
  expect(await problems(compileText(text))).toEqual([
    "2:12 settings.default_datestore: `default_datestore` is not known here; it has no effect (did you mean `default_datastore`?)",
    "3:52 jobs.a.commnt: `commnt` is not known here; it has no effect (did you mean `comment`?)",
  ]);
});

describe("a job over more machines than one job gets", () => {
  const job = (distribution: string, count: number) => `
type: pipeline
jobs:
  train:
    command: python train.py
    environment: {image: x}
    distribution: {type: ${distribution}}
    resources: {instance_count: ${count}}
`;
  const refusals = async (text: string, machinesPerJob?: number) => {
    const result = await compileText(text, machinesPerJob === undefined ? {} : { machinesPerJob });
    if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
    return { told: result.refusals.map(formatIssue), refusal: nodeNamed(result.plan, "train").refusal };
  };

  test.each(["pytorch", "mpi"])("cannot run when its processes wait for each other (%s)", async (type) => {
    const { told, refusal } = await refusals(job(type, 4), 2);
    expect(told).toEqual([expect.stringContaining(`jobs.train: node \`train\` cannot run: it is a job of 4 machines`)]);
    expect(refusal).toContain("say `resources.instance_count: 2`");
  });

  test("runs within the limit, without one, and when a worker works alone", async () => {
    for (const [type, count, limit] of [
      ["pytorch", 2, 2],
      ["mpi", 99, undefined],
      ["tensorflow", 4, 1],
    ] as const)
      expect((await refusals(job(type, count), limit)).told).toEqual([]);
  });
});

describe("a pipeline without nodes", () => {
  test.each([
    ["jobs: {}", "it has none"],
    ["jobs: [a]", "got a list"],
    ["jobs: text", "got the text `text`"],
  ])("is told what it needs: %s", async (jobs, got) => {
    expect((await problems(compileText(`type: pipeline\n${jobs}`))).join()).toMatch(
      new RegExp(`a pipeline needs at least one node in .*${got}`),
    );
  });
});

describe("artifacts", () => {
  const leaf = (name: string) => `${name}: {command: "x \${{inputs.i}}", environment: "azureml:e:1", inputs: {i: 1}}`;
  const reader = (from: string) =>
    `r: {command: "y \${{inputs.a}}", environment: "azureml:e:1", inputs: {a: "\${{parent.jobs.${from}.outputs.artifacts}}"}}`;
  const loop = (type: string, more: string) => `l: {type: ${type}, body: "\${{parent.jobs.b}}", ${more}}`;

  test("of a node are an output of it as soon as somebody reads them", async () => {
    const plan = await planOf(compileText(`type: pipeline\njobs: {${leaf("b")}, ${reader("b")}, ${leaf("c")}}`));
    expect(nodeNamed(plan, "b").outputs).toEqual({
      artifacts: { type: "uri_folder", mode: "rw_mount", isArtifacts: true },
    });
    expect(nodeNamed(plan, "c").outputs).toEqual({});
  });

  test.each([
    [loop("do_while", "condition: true, limits: {max_iteration_count: 2}"), "b", "uri_folder"],
    [loop("parallel_for", "items: [{i: 1}]"), "l", "mltable"],
  ])("of a loop's body go through the loop: %s", async (looping, from, type) => {
    const plan = await planOf(compileText(`type: pipeline\njobs: {${leaf("b")}, ${looping}, ${reader(from)}}`));
    expect(nodeNamed(plan, "l").outputs).toEqual({ artifacts: { type, mode: "rw_mount" } });
    expect(plan.bodies?.["l"]?.outputs).toEqual({ artifacts: { node: "b", output: "artifacts" } });
    expect(plan.bodies?.["l"]?.nodes[0]?.outputs["artifacts"]?.isArtifacts).toBe(true);
    expect(nodeNamed(plan, "r").inputs["a"]).toMatchObject({ node: "l", output: "artifacts" });
  });

  test("are not what a loop changes under that name", async () => {
    const body = `b: {command: "x \${{inputs.artifacts}}", environment: "azureml:e:1", inputs: {artifacts: 1}}`;
    const looping = loop("parallel_for", "items: [{artifacts: 1}]");
    const plan = await planOf(compileText(`type: pipeline\njobs: {${body}, ${looping}}`));
    expect(nodeNamed(plan, "l").outputs).toEqual({});
  });
});
