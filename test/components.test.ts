import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../components");

const Component = z.object({
  $schema: z.string().endsWith("/commandComponent.schema.json"),
  type: z.literal("command"),
  name: z.string(),
  version: z.string(),
  display_name: z.string(),
  description: z.string(),
  inputs: z.record(
    z.string(),
    z.object({ type: z.string(), default: z.union([z.string(), z.number(), z.boolean()]).optional() }),
  ),
  outputs: z.record(z.string(), z.object({ type: z.string() })),
  code: z.literal("./src"),
  environment: z.object({ image: z.string(), conda_file: z.string() }),
  command: z.string(),
});

const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [join(root, entry.name)] : [],
);
const read = (folder: string) => Component.parse(parse(readFileSync(join(folder, "component.yml"), "utf8")));

/** What each match of the pattern caught, in alphabetical order. */
const caught = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => match.slice(1).join(" ")).toSorted();

test("the flagship's three components are there", () => {
  expect(folders.map((folder) => read(folder).name).toSorted()).toEqual(["prep", "score", "train"]);
});

describe.each(folders)("%s", (folder) => {
  const component = read(folder);
  const script = readFileSync(join(folder, "src", `${component.name}.py`), "utf8");
  const ports = [
    ...Object.keys(component.inputs).map((name) => ({ name, of: "inputs" })),
    ...Object.keys(component.outputs).map((name) => ({ name, of: "outputs" })),
  ];

  test("its command hands over every input and output under its own name", () => {
    const handedOver = caught(component.command, /--(\w+) "?\$\{\{(inputs|outputs)\.(\w+)\}\}"?/g);
    expect(handedOver).toEqual(ports.map(({ name, of }) => `${name} ${of} ${name}`).toSorted());
  });

  test("its command puts paths in quotes, since a folder's name may hold spaces", () => {
    const folders = Object.entries({ ...component.inputs, ...component.outputs }).flatMap(([name, { type }]) =>
      type === "uri_folder" ? [name] : [],
    );
    expect(caught(component.command, /"\$\{\{\w+\.(\w+)\}\}"/g)).toEqual(folders.toSorted());
  });

  test("its script takes those arguments, with the same defaults", () => {
    expect(caught(script, /add_argument\("--(\w+)"/g)).toEqual(ports.map(({ name }) => name).toSorted());
    const defaults = Object.entries(component.inputs).flatMap(([name, input]) =>
      input.default === undefined ? [] : [`${name} ${input.default}`],
    );
    expect(caught(script, /add_argument\("--(\w+)".*default=([^,)]+)/g)).toEqual(defaults.toSorted());
  });

  test("its conda file pins every package to one version", () => {
    const text = readFileSync(resolve(folder, component.environment.conda_file), "utf8");
    const conda = z.object({ dependencies: z.array(z.unknown()) }).parse(parse(text));
    const packages = conda.dependencies.flatMap(
      (entry) => z.object({ pip: z.array(z.string()) }).safeParse(entry).data?.pip ?? [],
    );
    expect(packages.length).toBeGreaterThan(0);
    for (const name of packages) expect(name).toMatch(/^[\w-]+==[\w.]+$/);
  });

  test("its tests lie beside the code and not in it", () => {
    expect(existsSync(join(folder, `test_${component.name}.py`))).toBe(true);
    expect(readdirSync(join(folder, "src")).filter((name) => name.includes("test"))).toEqual([]);
  });
});

test("train and score ask for one environment, so that it is built once", () => {
  const [train, score] = ["train", "score"].map((name) => {
    const { image, conda_file: file } = read(join(root, name)).environment;
    return [image, resolve(root, name, file)];
  });
  expect(train).toEqual(score);
});

test("prep refuses bad files and writes the very bytes of the slow way", { timeout: 120_000 }, async ({ skip }) => {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const numpy = await run("python3", ["-c", "import numpy"], { env, timeout: 30_000 }).then(
    () => true,
    () => false,
  );
  if (!numpy) skip("python3 on PATH has no NumPy, which is all that prep needs");
  const { stderr } = await run("python3", ["-m", "unittest", "test_prep"], {
    cwd: join(root, "prep"),
    env,
    timeout: 110_000,
  });
  expect(stderr).toMatch(/^Ran \d{2} tests/m);
});
