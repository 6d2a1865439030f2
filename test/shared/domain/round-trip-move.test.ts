// A YAML pipeline for another folder, or with its files' content in it: the same plan, the same text but for the paths.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { moveYaml } from "#shared/domain/move-yaml.ts";
import { createFileSource } from "#shared/files.ts";
import { compile, loadYaml } from "#test/authoring/compile-authored.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/pipelines");
const files = createFileSource("/");
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-move-"));
});
afterEach(() => rm(folder, { recursive: true }));

const flow = join(fixtures, "flow/pipeline.yml");
const nested = join(fixtures, "nested/pipeline.yml");
const kinds = [
  ["a pipeline with data, code, conda files and further folders", flow],
  ["a pipeline of pipelines", nested],
  ["a job", join(fixtures, "single/job.yml")],
  ["the flagship", join(import.meta.dirname, "../../../pipelines/fashion_mnist.yml")],
] as const;

async function plan(path: string) {
  const loaded = await loadYaml(path);
  const images = path.includes("fashion") ? { images: { path: "azureml:images:1" } } : {};
  const { pipeline, ...rest } = await compile(loaded, images);
  // A pipeline without a name has that of its file or folder.
  return { ...rest, experimentName: rest.experimentName === pipeline ? "" : rest.experimentName };
}

describe("a moved pipeline", () => {
  test.each(kinds)("has its plan: %s", async (_, source) => {
    const target = join(folder, basename(source));
    await writeFile(target, await moveYaml(source, { files, folder }));
    expect(await plan(target)).toEqual(await plan(source));
  });

  test.each(kinds)("has its plan with its files' content in it: %s", async (_, source) => {
    const target = join(folder, basename(source));
    await writeFile(target, await moveYaml(source, { files, folder, isInline: true }));
    expect(await plan(target)).toEqual(await plan(source));
  });

  test("differs in its paths alone", async () => {
    const before = (await readFile(flow, "utf8")).split("\n");
    const after = (await moveYaml(flow, { files, folder: join(fixtures, "elsewhere") })).split("\n");
    const changed = after.filter((line, index) => line !== before[index]);
    expect(after).toHaveLength(before.length);
    expect(changed.map((line) => line.trim())).toEqual([
      "images: {type: uri_folder, path: ../flow/data, mode: download}",
      "component: ../flow/prep/component.yml",
      "labels: {type: uri_file, path: ../flow/data/labels.csv}",
      "component: ../flow/fit/component.yml",
    ]);
  });

  test("that stays where it is stays as it is", async () => {
    expect(await moveYaml(flow, { files, folder: join(fixtures, "flow") })).toBe(await readFile(flow, "utf8"));
  });

  test("takes the short form of data along, which only the component's file tells from a text", async () => {
    await writeFile(join(folder, "c.yml"), "name: c\ninputs: {rows: {type: uri_file}, word: {type: string}}\n");
    await writeFile(
      join(folder, "p.yml"),
      "jobs:\n  a:\n    component: c.yml\n    inputs: {rows: ./rows.csv, word: ./rows.csv}\n",
    );
    expect(await moveYaml(join(folder, "p.yml"), { files, folder: join(folder, "x") })).toBe(
      "jobs:\n  a:\n    component: ../c.yml\n    inputs: {rows: ../rows.csv, word: ./rows.csv}\n",
    );
  });

  test.each([
    ["is not there", "component: ./none.yml\n", "there is no file"],
    ["is no YAML", "component: ./broken.yml\n", "broken.yml cannot be read"],
    ["holds itself", "component: ./self.yml\n", "nested more than 20 deep"],
  ])("names the file that %s", async (_, text, message) => {
    await writeFile(join(folder, "broken.yml"), "a: [");
    await writeFile(join(folder, "self.yml"), text);
    await expect(moveYaml(join(folder, "self.yml"), { files, folder, isInline: true })).rejects.toThrow(message);
  });
});
