import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  commandComponent,
  integer,
  loadComponent,
  mlflowModel,
  type NodeOutput,
  pipeline,
  string,
  uriFile,
  uriFolder,
} from "mlpipe";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { formatIssue } from "#shared/errors.ts";
import { pipeline as flagship } from "../../pipelines/fashion_mnist.ts";
import { compile, load, loadYaml } from "./compile-authored.ts";
import { fit, split, use } from "./components.ts";

const data = { path: "azureml:images:1", type: "uri_folder" } as const;

describe("the flagship", () => {
  test("compiles to one plan, written in TypeScript or in YAML", async () => {
    const inputs = { images: data, epochs: 3 };
    const written = await compile(await load(flagship, "pipelines/fashion_mnist.ts"), inputs);
    expect(written.nodes.map(({ name }) => name)).toEqual(["prep", "train", "score", "promote"]);
    expect(written).toEqual(await compile(await loadYaml("pipelines/fashion_mnist.yml"), inputs));
  });
});

describe("a pipeline in TypeScript", () => {
  test("becomes the document that YAML would be", () => {
    const { source } = pipeline(
      {
        name: "garments",
        tags: { owner: "tests" },
        settings: { continue_on_step_failure: true },
        inputs: { images: uriFolder(), size: string({ default: "Standard_D4s_v5" }) },
      },
      ({ inputs, node, promote, onFinalize }) => {
        const { outputs } = node(split, { images: { path: inputs.images, mode: "download" }, labels: undefined });
        const fitted = node(
          fit,
          { table: outputs.table, rate: 0.1 },
          {
            display_name: "Fit",
            compute: "azureml:cpu",
            resources: { instance_type: inputs.size, instance_count: 2 },
            limits: { timeout: 60 },
            environment_variables: { SIZE: inputs.size, VERBOSE: true },
            outputs: { model: { mode: "upload" } },
          },
        );
        onFinalize(fitted);
        return { index: outputs.index, model: promote(fitted.outputs.model, { name: "garments", version: "1" }) };
      },
    );
    expect(source).toEqual({
      type: "pipeline",
      name: "garments",
      tags: { owner: "tests" },
      settings: { continue_on_step_failure: true, on_finalize: "fit" },
      inputs: { images: { type: "uri_folder" }, size: { type: "string", default: "Standard_D4s_v5" } },
      outputs: {
        index: { type: "uri_file" },
        model: { type: "mlflow_model", name: "garments", version: "1" },
      },
      jobs: {
        split: {
          type: "command",
          component: split.source,
          inputs: { images: { path: "${{parent.inputs.images}}", mode: "download" } },
          outputs: { index: "${{parent.outputs.index}}" },
        },
        fit: {
          type: "command",
          component: fit.source,
          display_name: "Fit",
          compute: "azureml:cpu",
          environment_variables: { SIZE: "${{parent.inputs.size}}", VERBOSE: true },
          inputs: { table: "${{parent.jobs.split.outputs.table}}", rate: 0.1 },
          outputs: { model: { mode: "upload", path: "${{parent.outputs.model}}" } },
          resources: { instance_type: "${{parent.inputs.size}}", instance_count: 2 },
          limits: { timeout: 60 },
        },
      },
    });
  });

  test("is a node of another, twice if need be", async () => {
    const whole = pipeline(
      { name: "whole", inputs: { images: uriFolder(), epochs: integer() } },
      ({ inputs, node }) => {
        const { outputs } = node(split, { images: inputs.images });
        const fitted = node(fit, { table: outputs.table, rate: 1, epochs: inputs.epochs });
        return { model: fitted.outputs.model };
      },
    );
    const outer = pipeline({ name: "outer", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
      const first = node(whole, { images: inputs.images, epochs: 1 });
      node(whole, { images: first.outputs.model, epochs: 2 }, { name: "second", settings: { force_rerun: true } });
      const used = node(use, { model: first.outputs.model });
      return { report: used.outputs.report };
    });
    const plan = await compile(await load(outer), { images: data });
    const found = plan.nodes.map(({ name, forceRerun, inputs }) => [name, forceRerun, inputs.epochs]);
    expect(found).toEqual([
      ["whole.split", false, undefined],
      ["whole.fit", false, { kind: "literal", value: "1" }],
      ["second.split", true, undefined],
      ["use", false, undefined],
      ["second.fit", true, { kind: "literal", value: "2" }],
    ]);
    expect(plan.nodes[2]?.inputs.images).toMatchObject({ kind: "output", node: "whole.fit", output: "model" });
    expect(plan.outputs).toEqual({ report: { node: "use", output: "report" } });
  });

  test("a wish list of sizes is tried in its order, beside what else mlpipe is told", async () => {
    const properties = { mlpipe: { limits: { running: 60 } }, zone: "2" };
    const sized = pipeline({ name: "sized", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
      node(split, { images: inputs.images }, { resources: { instance_type: ["A", "B", "C"], properties } });
      return {};
    });
    const [node] = (await compile(await load(sized), { images: data })).nodes;
    expect(node?.resources).toEqual({ instanceTypes: ["A", "B", "C"], instanceCount: 1, properties: { zone: "2" } });
    expect(node?.policy).toEqual({ limits: { runningSeconds: 60 } });
  });

  test("values that the types could not refuse are refused with the plan", async () => {
    const wrong = pipeline({ name: "wrong", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
      const { outputs } = node(split, { images: inputs.images });
      node(fit, { table: outputs.table, rate: 1, epochs: 0 });
      return {};
    });
    const { document } = await load(wrong);
    if (document === undefined) throw new Error("no document");
    const result = await compilePlan(document, { inputs: { images: data } });
    expect(result.plan === undefined && result.issues.map(formatIssue)).toEqual([
      "jobs.fit.inputs.epochs: 0 is below the minimum 1",
    ]);
  });
});

describe("what types cannot see is told where the pipeline is defined:", () => {
  const build = (body: Parameters<typeof pipeline>[1]) => () => pipeline({ name: "p", inputs: {} }, body);
  const images = { path: "azureml:images:1" };

  test("two nodes of one name", () => {
    const twice = build(({ node }) => {
      node(split, { images });
      node(split, { images });
      return {};
    });
    expect(twice).toThrow('pipeline p: two nodes are called `split`; give one of them another: { name: "split_2" }');
  });

  test("a node name that Azure ML does not take", () => {
    const named = build(({ node }) => {
      node(split, { images }, { name: "1st try" });
      return {};
    });
    expect(named).toThrow("`1st try` is no allowed node name");
  });

  test("one output under two names", () => {
    const both = build(({ node }) => {
      const { outputs } = node(split, { images });
      return { a: outputs.table, b: outputs.table };
    });
    expect(both).toThrow("`split.outputs.table` is the output `a` already, and cannot be `b` too");
  });

  test("another pipeline's output, smuggled past the types", () => {
    let kept: unknown;
    build(({ node }) => {
      kept = node(split, { images }).outputs.table;
      return {};
    })();
    const smuggled = build(<Scope>({ node }: { node: (...args: never[]) => unknown }) => {
      node(...([fit, { table: kept, rate: 1 }] as never[]));
      return {} as Record<string, NodeOutput<"uri_folder", Scope>>;
    });
    expect(smuggled).toThrow("fit.inputs.table: ${{parent.jobs.split.outputs.table}} belongs to another pipeline");
  });
});

describe("files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlpipe authoring "));
    await writeFile(join(folder, "program.py"), "print()");
    await writeFile(join(folder, "conda.yml"), "dependencies: [python=3.12]\n");
    await writeFile(
      join(folder, "component.yml"),
      "name: scored\ninputs:\n  model: {type: mlflow_model}\n  count: {type: integer, default: 1e0}\noutputs:\n  report: {type: uri_file}\nenvironment: azureml:tools:1\ncommand: score ${{inputs.model}} ${{inputs.count}} ${{outputs.report}}\n",
    );
  });
  afterAll(() => rm(folder, { recursive: true }));
  const from = () => pathToFileURL(join(folder, "module.ts")).href;

  test("are found from the module that names them", async () => {
    const component = commandComponent({
      name: "own",
      from: from(),
      code: ".",
      environment: { image: "python:3.12", conda_file: "./conda.yml" },
      command: "python program.py",
    });
    const loaded = await load(
      pipeline({ name: "p", from: from() }, ({ node }) => {
        node(component, {});
        node(split, { images: { path: "." } });
        return {};
      }),
    );
    expect(loaded.issues).toEqual([]);
    expect(loaded.localReferences.map(({ kind, path }) => ({ kind, path }))).toEqual([
      { kind: "code", path: folder },
      { kind: "data", path: folder },
    ]);
    expect(loaded.document).toMatchObject({
      jobs: { own: { component: { environment: { conda_file: "dependencies: [python=3.12]\n" } } } },
    });
  });

  test("without a module's URL are found from the pipeline's own file", async () => {
    const scored = loadComponent("./component.yml", {
      inputs: { model: mlflowModel(), count: integer({ default: 1 }) },
      outputs: { report: uriFile() },
    });
    const { document, issues } = await load(
      pipeline({ name: "p" }, ({ node }) => {
        node(scored, { model: { path: "azureml:model:1" } });
        return {};
      }),
      join(folder, "pipeline.ts"),
    );
    expect(issues).toEqual([]);
    expect(document).toMatchObject({ jobs: { component: { component: { name: "scored" } } } });
  });

  test("that are not what TypeScript was told of them are refused, difference by difference", async () => {
    const stale = loadComponent("./component.yml", {
      from: from(),
      name: "stale",
      inputs: { model: uriFolder(), size: integer() },
      outputs: { report: uriFile(), rows: uriFile() },
    });
    const { issues } = await load(
      pipeline({ name: "p" }, ({ node }) => {
        node(stale, { model: { path: "azureml:model:1" }, size: 3 });
        return {};
      }),
    );
    const file = join(folder, "component.yml");
    const told = `${file} jobs.stale: ${file} is not what TypeScript was told of it: `;
    expect(issues.filter(({ severity }) => severity === "error").map(formatIssue)).toEqual([
      `${told}it has no input \`size\`; \`mlpipe types\` writes it anew`,
      `${told}it has the input \`count\` too; \`mlpipe types\` writes it anew`,
      `${told}its input \`model\` is mlflow_model, not uri_folder; \`mlpipe types\` writes it anew`,
      `${told}it has no output \`rows\`; \`mlpipe types\` writes it anew`,
    ]);
  });

  test("that are not there are named with the pipeline's file", async () => {
    const lost = loadComponent("./lost.yml", { from: from() });
    const { issues } = await load(
      pipeline({ name: "p" }, ({ node }) => {
        node(lost, {});
        return {};
      }),
      "here/pipeline.ts",
    );
    expect(issues.map(formatIssue)).toContain(
      `here/pipeline.ts jobs.lost.component: there is no file ${join(folder, "lost.yml")}`,
    );
  });
});
