import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  commandComponent,
  integer,
  loadComponent,
  mlflowModel,
  number,
  type Pipeline,
  pipeline,
  string,
  uriFile,
  uriFolder,
} from "mlpipe";
import { exportPipeline } from "#authoring/export-pipeline.ts";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { createFileSource } from "#shared/files.ts";
import { pipeline as flagship } from "../../pipelines/fashion_mnist.ts";
import { schemaProblems } from "./azureml-schema.ts";
import { compile, load, loadYaml } from "./compile-authored.ts";
import { fit, split, use } from "./components.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-export-"));
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "src", "a.py"), "print()");
  await writeFile(join(folder, "rows.csv"), "1,2");
  await writeFile(join(folder, "conda.yml"), "# pinned\ndependencies: [python=3.12]\n");
  await writeFile(
    join(folder, "score.yml"),
    "# scores\nname: score # well\ninputs:\n  model: {type: mlflow_model}\noutputs:\n  report: {type: uri_file}\nenvironment: azureml:tools:1\ncode: ./src\ncommand: score ${{inputs.model}} ${{outputs.report}}\n",
  );
});
afterEach(() => rm(folder, { recursive: true }));

const files = createFileSource("/");
const data = { path: "azureml:images:1" };

/** Writes what `exportPipeline` gives. Returns the paths, the pipeline's first. */
async function written(exported: Pipeline, options: { folder?: string; isInline?: boolean } = {}): Promise<string[]> {
  const found = await exportPipeline(exported, { file: join(folder, "pipeline.ts"), files, ...options });
  for (const { path, text } of found.files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return found.files.map(({ path }) => path);
}

/** Every way of writing one pipeline, and every kind of thing that names a file. */
function everything(): Pipeline {
  const from = pathToFileURL(join(folder, "module.ts")).href;
  const own = commandComponent({
    name: "own",
    version: "3",
    from,
    inputs: {
      rows: uriFile(),
      count: integer({ default: 3, min: 1 }),
      rate: number({ default: 1e-7 }),
      word: string({ default: "yes" }),
    },
    outputs: { table: uriFolder() },
    code: "./src",
    additional_includes: ["./rows.csv"],
    environment: { image: "python:3.12", conda_file: "./conda.yml" },
    is_deterministic: false,
    command: "python a.py ${{inputs.rows}} ${{inputs.count}} ${{inputs.rate}} '${{inputs.word}}' ${{outputs.table}}",
  });
  const score = loadComponent("./score.yml", {
    from,
    inputs: { model: mlflowModel() },
    outputs: { report: uriFile() },
  });
  const inner = pipeline({ name: "inner", inputs: { table: uriFolder(), rate: number() } }, ({ inputs, node }) => {
    const fitted = node(fit, { table: inputs.table, rate: inputs.rate, note: "on: #1\n" });
    return { model: fitted.outputs.model };
  });
  return pipeline(
    {
      name: "everything",
      description: "All: of it # really",
      tags: { year: "2026", on: "yes" },
      from,
      settings: { default_compute: "azureml:cpu", mlpipe: { limits: { run: 3600 } } },
      inputs: {
        images: uriFolder({ mode: "download" }),
        rate: number({ default: 0.5 }),
        note: string({ optional: true }),
      },
    },
    ({ inputs, node, promote }) => {
      const { outputs } = node(
        own,
        { rows: { path: "./rows.csv", type: "uri_file" } },
        { environment_variables: { A: "no", B: 1 } },
      );
      node(split, { images: inputs.images }, { resources: { instance_type: ["A", "B"] } });
      const first = node(inner, { table: outputs.table, rate: inputs.rate });
      const second = node(inner, { table: first.outputs.model, rate: 1e-7 }, { name: "second" });
      node(fit, { table: outputs.table, rate: 1, note: inputs.note }, { outputs: { model: { mode: "upload" } } });
      const used = node(use, { model: second.outputs.model });
      const scored = node(score, { model: first.outputs.model });
      return {
        report: promote(used.outputs.report, { mode: "upload", path: "azureml://datastores/d/paths/${{name}}/" }),
        scored: scored.outputs.report,
      };
    },
  );
}

describe("exported YAML", () => {
  test.each([
    ["as one text", {}],
    ["with its component files' content", { isInline: true }],
  ])("%s compiles to the plan of its TypeScript", async (_, options) => {
    const [path = "", ...others] = await written(everything(), options);
    expect(others).toEqual([]);
    expect(schemaProblems(await readFile(path, "utf8"))).toEqual([]);
    const loaded = await loadYaml(path);
    expect(loaded.issues).toEqual([]);
    expect(await compile(loaded, { images: data })).toEqual(await planOfTypeScript());
  });

  test("in a folder compiles to the plan of its TypeScript, each component in a file of its own", async () => {
    const out = join(folder, "out");
    const paths = await written(everything(), { folder: out });
    expect(paths.map((path) => path.slice(out.length + 1)).toSorted()).toEqual([
      "components/fit.yml",
      "components/inner.yml",
      "components/own.yml",
      "components/split.yml",
      "components/use.yml",
      "everything.yml",
    ]);
    for (const path of paths) expect(schemaProblems(await readFile(path, "utf8"))).toEqual([]);
    const loaded = await loadYaml(paths[0] ?? "");
    expect(await readFile(join(out, "components/fit.yml"), "utf8")).not.toContain("jobs");
    expect(loaded.issues).toEqual([]);
    expect(await compile(loaded, { images: data })).toEqual(await planOfTypeScript());
  });

  test("of the flagship compiles to the flagship's plan", async () => {
    const file = join(import.meta.dirname, "../../pipelines/fashion_mnist.ts");
    const { files: found } = await exportPipeline(flagship, { file, files, folder });
    const path = found[0]?.path ?? "";
    await writeFile(path, found[0]?.text ?? "");
    const inputs = { images: data, epochs: 2 };
    expect(await compile(await loadYaml(path), inputs)).toEqual(
      await compile(await loadYaml("pipelines/fashion_mnist.yml"), inputs),
    );
  });

  test("gives a job values where a pipeline has declarations, and says what Azure ML still has to be told", async () => {
    const asked = pipeline(
      {
        name: "asked",
        inputs: {
          images: uriFolder(),
          rate: number(),
          epochs: integer({ default: 3 }),
          note: string({ optional: true }),
        },
      },
      ({ inputs, node }) => {
        const { outputs } = node(split, { images: inputs.images });
        node(fit, { table: outputs.table, rate: inputs.rate, epochs: inputs.epochs, note: inputs.note });
        return {};
      },
    );
    const found = await exportPipeline(asked, { file: join(folder, "asked.ts"), files });
    expect(readYaml(found.files[0]?.text ?? "", undefined).value).toMatchObject({
      inputs: { images: { type: "uri_folder" }, rate: { type: "number" }, epochs: 3 },
      jobs: { fit: { inputs: { epochs: "${{parent.inputs.epochs}}" } } },
    });
    expect(schemaProblems(found.files[0]?.text ?? "")).toEqual([]);
    expect(found.files[0]?.text).not.toContain("note: ${{");
    expect(found.warnings).toEqual([
      "the input `images` has no value: `az ml job create --set inputs.images.path=...`",
      "the input `rate` has no value: `az ml job create --set inputs.rate=...`",
      "the input `note` is left out: a job of Azure ML has no optional inputs",
    ]);
  });

  test("warns that Azure ML takes no sub-pipeline inside a text", async () => {
    const found = await exportPipeline(everything(), { file: join(folder, "pipeline.ts"), files });
    expect(found.warnings).toContain("`az ml` takes sub-pipelines from files only: export with `--out <folder>`");
    const split_ = await exportPipeline(everything(), { file: join(folder, "pipeline.ts"), files, folder });
    expect(split_.warnings.join()).not.toContain("sub-pipelines");
  });

  test("keeps two components of one name apart", async () => {
    const make = (command: string) => commandComponent({ name: "same", environment: "azureml:tools:1", command });
    const [one, other] = [make("one"), make("other")];
    const twins = pipeline({ name: "twins" }, ({ node }) => {
      node(one, {});
      node(other, {}, { name: "b" });
      node(make("one"), {}, { name: "c" });
      return {};
    });
    const paths = await written(twins, { folder });
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      "twins.yml",
      "components/same.yml",
      "components/same_2.yml",
    ]);
    expect(readYaml(await readFile(paths[0] ?? "", "utf8"), undefined).value).toMatchObject({
      jobs: {
        same: { component: "./components/same.yml" },
        b: { component: "./components/same_2.yml" },
        c: { component: "./components/same.yml" },
      },
    });
  });

  test("with component files' content keeps their comments", async () => {
    const [path = ""] = await written(everything(), { isInline: true });
    expect(await readFile(path, "utf8")).toContain("# scores\n      name: score # well\n");
  });

  async function planOfTypeScript() {
    const plan = await compile(await load(everything(), join(folder, "everything.ts")), { images: data });
    expect(plan.nodes).toHaveLength(7);
    return plan;
  }
});
