// Every kind of node that runs, written in TypeScript: the YAML that is exported of it loads without a word and compiles to the
// plan of the TypeScript.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  boolean,
  choice,
  lognormal,
  loguniform,
  normal,
  number,
  type Pipeline,
  pipeline,
  qlognormal,
  qloguniform,
  qnormal,
  quniform,
  randint,
  string,
  uniform,
  uriFolder,
} from "mlpipe";
import { exportPipeline } from "#authoring/export-pipeline.ts";
import { createFileSource } from "#shared/files.ts";
import { compile, load, loadYaml } from "./compile-authored.ts";
import { schemaProblems } from "./azureml-schema.ts";
import { batches, fit, split, step, use } from "./components.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-kinds-"));
  await writeFile(join(folder, "rows.csv"), "1,2");
});
afterEach(() => rm(folder, { recursive: true }));

const files = createFileSource("/");
const table = { path: "azureml:table:1", type: "uri_folder" } as const;
const objective = { goal: "maximize", primary_metric: "accuracy" } as const;

const pipelines: Readonly<Record<string, () => Pipeline>> = {
  sweeps: () =>
    pipeline(
      {
        name: "sweeps",
        inputs: { table: uriFolder(), rate: number({ default: 0.5 }), note: string({ optional: true }) },
      },
      ({ inputs, sweep, node }) => {
        const best = sweep(
          fit,
          { table: inputs.table, rate: loguniform(-6, -1), epochs: choice(3, 5), mode: choice("fast", "slow") },
          {
            objective,
            sampling_algorithm: { type: "random", rule: "sobol", seed: 7 },
            limits: { max_total_trials: 8, max_concurrent_trials: 2, timeout: 3600, trial_timeout: 60 },
            early_termination: { type: "bandit", slack_factor: 0.2, evaluation_interval: 2, delay_evaluation: 4 },
            resources: { instance_type: ["A", "B"] },
            outputs: { model: { mode: "upload" } },
          },
        );
        const again = sweep(
          fit,
          { table: inputs.table, rate: inputs.rate, shuffle: choice(true, false) },
          { name: "grid", objective, sampling_algorithm: "grid", early_termination: { type: "median_stopping" } },
        );
        node(use, { model: again.outputs.model });
        return { model: best.outputs.model };
      },
    ),
  batches: () =>
    pipeline({ name: "batches", inputs: { files: uriFolder() } }, ({ inputs, node }) => {
      node(batches, { files: inputs.files });
      const { outputs } = node(
        batches,
        { files: { path: inputs.files, mode: "download" }, rate: 0.1 },
        { name: "sized", mini_batch_size: "10kb", max_concurrency_per_instance: 2, retry_settings: { max_retries: 1 } },
      );
      return { rows: outputs.rows };
    }),
  conditions: () =>
    pipeline({ name: "conditions", inputs: { table: uriFolder(), on: boolean({ default: true }) } }, (body) => {
      const { inputs, node, ifElse, onInit, onFinalize } = body;
      const { outputs } = node(step, { table: inputs.table });
      const yes = node(fit, { table: outputs.state, rate: outputs.share, epochs: outputs.count }, { name: "yes" });
      const no = node(split, { images: inputs.table }, { name: "no" });
      const alert = node(split, { images: inputs.table }, { name: "alert" });
      const chosen = ifElse({ condition: outputs.ok, true_block: yes, false_block: [no, alert] });
      ifElse({ name: "whether", condition: inputs.on, true_block: chosen });
      onInit(node(split, { images: inputs.table }, { name: "first" }));
      onFinalize(node(split, { images: inputs.table }, { name: "last" }));
      return { ok: outputs.ok };
    }),
  loops: () =>
    pipeline(
      {
        name: "loops",
        from: pathToFileURL(join(folder, "x.ts")).href,
        inputs: { table: uriFolder(), words: string() },
      },
      ({ inputs, node, doWhile, parallelFor }) => {
        const round = pipeline({ name: "round", inputs: { table: uriFolder() } }, (inner) => {
          const { outputs } = inner.node(step, { table: inner.inputs.table });
          return { table: outputs.state, again: outputs.go_on };
        });
        const looped = doWhile(
          step,
          { table: inputs.table, count: 2 },
          {
            condition: "go_on",
            mapping: { state: ["table", "before"], count: "count" },
            limits: { max_iteration_count: 5 },
            body: { resources: { instance_count: 2 } },
          },
        );
        const rounds = doWhile(
          round,
          { table: looped.outputs.state },
          { condition: "again", mapping: { table: "table" }, limits: { max_iteration_count: 3 } },
        );
        const each = parallelFor(
          step,
          { table: rounds.outputs.table },
          {
            name: "each",
            items: [
              { word: "a", labels: { path: "./rows.csv", type: "uri_file" } },
              { word: inputs.words, labels: { path: "azureml:labels:1" } },
            ],
            max_concurrency: 2,
          },
        );
        parallelFor(step, { table: inputs.table }, { name: "later", items: looped.outputs.word });
        const named = parallelFor(step, { table: inputs.table }, { name: "named", items: { a: { count: 1 } } });
        node(fit, { table: named.outputs.state, rate: looped.outputs.count, note: each.outputs.count });
        return { states: each.outputs.state, last: looped.outputs.count };
      },
    ),
};
const given = {
  sweeps: { table },
  batches: { files: table },
  conditions: { table },
  loops: { table, words: "b" },
};

const nodes = {
  sweeps: ["fit: sweep", "grid: sweep", "use: command"],
  batches: ["batches: command", "sized: command"],
  conditions: [
    "first: command",
    "step: command",
    "whether: if_else",
    "if_else: if_else",
    "yes: command",
    "no: command",
    "alert: command",
    "last: command",
  ],
  loops: [
    "step: do_while",
    "named: parallel_for",
    "round: do_while",
    "later: parallel_for",
    "each: parallel_for",
    "fit: command",
  ],
};

/** Writes what is exported. Returns the path of the pipeline's own file, and what Azure ML's schema has against any of them. */
async function exported(name: string, authored: Pipeline, isSplit: boolean) {
  const out = isSplit ? { folder: join(folder, "out") } : {};
  const found = await exportPipeline(authored, { file: join(folder, `${name}.ts`), files, ...out });
  for (const { path, text } of found.files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const problems = found.files.flatMap(({ text }) => schemaProblems(text));
  return { path: found.files[0]?.path ?? "", problems, warnings: found.warnings };
}

describe.each(["sweeps", "batches", "conditions", "loops"] as const)("a pipeline of %s", (name) => {
  test.each([
    ["one text", false],
    ["a file for each component", true],
  ])("is exported as %s that loads, keeps to Azure ML's schema and compiles to the same plan", async (_, isSplit) => {
    const authored = pipelines[name]?.();
    if (authored === undefined) throw new Error(name);
    const { path, problems } = await exported(name, authored, isSplit);
    expect(problems).toEqual([]);
    const [yaml, typescript] = [await loadYaml(path), await load(authored, join(folder, `${name}.ts`))];
    expect([yaml.issues, typescript.issues]).toEqual([[], []]);
    const plan = await compile(yaml, given[name]);
    expect(plan).toEqual(await compile(typescript, given[name]));
    expect(plan.nodes.map(({ name: node, kind }) => `${node}: ${kind}`)).toEqual(nodes[name]);
  });
});

test("every distribution is the one that YAML calls so", async () => {
  const authored = pipeline({ name: "p", inputs: { table: uriFolder() } }, ({ inputs, sweep }) => {
    const all = [
      choice(0.1, 0.2),
      randint(5),
      uniform(0, 1),
      quniform(0, 1, 0.1),
      loguniform(-3, 0),
      qloguniform(-3, 0, 0.1),
      normal(1, 2),
      qnormal(1, 2, 0.5),
      lognormal(0, 1),
      qlognormal(0, 1, 0.5),
    ];
    for (const rate of all) {
      const limits = { max_total_trials: 1 };
      sweep(fit, { table: inputs.table, rate }, { name: `by_${rate.type}`, objective, limits });
    }
    return {};
  });
  const plan = await compile(await load(authored), { table });
  expect(plan.nodes.map(({ sweep }) => sweep?.searchSpace.rate)).toEqual([
    { type: "choice", values: [0.1, 0.2] },
    { type: "randint", upper: 5 },
    { type: "uniform", min_value: 0, max_value: 1 },
    { type: "quniform", min_value: 0, max_value: 1, q: 0.1 },
    { type: "loguniform", min_value: -3, max_value: 0 },
    { type: "qloguniform", min_value: -3, max_value: 0, q: 0.1 },
    { type: "normal", mu: 1, sigma: 2 },
    { type: "qnormal", mu: 1, sigma: 2, q: 0.5 },
    { type: "lognormal", mu: 0, sigma: 1 },
    { type: "qlognormal", mu: 0, sigma: 1, q: 0.5 },
  ]);
});

test("a loop is written beside the node that it repeats, each with its own fields", () => {
  const { jobs } = pipeline({ name: "p", inputs: { table: uriFolder() } }, ({ inputs, doWhile, ifElse }) => {
    const loop = doWhile(
      step,
      { table: inputs.table },
      {
        display_name: "Until it is good",
        condition: "go_on",
        mapping: { state: "table" },
        limits: { max_iteration_count: 9 },
        body: { name: "round", compute: "azureml:cpu" },
      },
    );
    ifElse({ condition: true, true_block: loop });
    return { last: loop.outputs.count };
  }).source;
  expect(jobs).toEqual({
    round: {
      type: "command",
      component: step.source,
      compute: "azureml:cpu",
      inputs: { table: "${{parent.inputs.table}}" },
      outputs: { count: "${{parent.outputs.last}}" },
    },
    step: {
      type: "do_while",
      body: "${{parent.jobs.round}}",
      condition: "${{parent.jobs.round.outputs.go_on}}",
      display_name: "Until it is good",
      mapping: { state: "table" },
      limits: { max_iteration_count: 9 },
    },
    if_else: { type: "if_else", condition: true, true_block: "${{parent.jobs.step}}" },
  });
});

test("what Azure ML keeps in preview is told with the export", async () => {
  const [plain, looping] = [pipelines.sweeps?.(), pipelines.loops?.()];
  if (plain === undefined || looping === undefined) throw new Error("no pipeline");
  const preview = expect.stringContaining("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED") as string;
  expect((await exported("sweeps", plain, true)).warnings).not.toContainEqual(preview);
  expect((await exported("loops", looping, true)).warnings).toContainEqual(preview);
});

describe("what types cannot see is told where the pipeline is defined:", () => {
  test("a node of another pipeline, smuggled past the types", () => {
    let kept: unknown;
    pipeline({ name: "one", inputs: { table: uriFolder() } }, ({ inputs, node }) => {
      kept = node(split, { images: inputs.table });
      return {};
    });
    const smuggled = () =>
      pipeline({ name: "other" }, ({ onFinalize }) => {
        onFinalize(kept as Parameters<typeof onFinalize>[0]);
        return {};
      });
    expect(smuggled).toThrow("pipeline other: on_finalize: the node `split` belongs to another pipeline");
  });

  test("two last nodes", () => {
    const twice = () =>
      pipeline({ name: "p", inputs: { table: uriFolder() } }, ({ inputs, node, onFinalize }) => {
        const last = node(split, { images: inputs.table });
        onFinalize(last);
        onFinalize(last);
        return {};
      });
    expect(twice).toThrow("`on_finalize` is `split` already");
  });
});
