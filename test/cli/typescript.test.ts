// Commands that take a pipeline in TypeScript, and those that write YAML and types.
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const root = join(import.meta.dirname, "../..");
let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-ts-"));
  // As `npm install ../mlpipe` does.
  await writeFile(join(cwd, "package.json"), '{"type": "module"}');
  await symlink(root, join(cwd, "mlpipe"));
  await writeFile(
    join(cwd, "parts.ts"),
    `import { commandComponent, uriFolder } from "./mlpipe/authoring/mlpipe.ts";
export const copy = commandComponent({
  name: "copy",
  inputs: { from: uriFolder() },
  outputs: { to: uriFolder() },
  environment: "azureml:tools:1",
  command: "cp -r \${{inputs.from}}/. \${{outputs.to}}",
});\n`,
  );
});
afterEach(() => rm(cwd, { recursive: true }));

const mlpipe = (...args: string[]) => runCli(args, { cwd });
const put = (name: string, text: string) => writeFile(join(cwd, name), text);
const wired = (end: string) => `import { pipeline, uriFolder } from "./mlpipe/authoring/mlpipe.ts";
import { copy } from "./parts.ts";
const copies = pipeline({ name: "copies", inputs: { files: uriFolder() } }, ({ inputs, node }) => {
  const { outputs } = node(copy, { from: inputs.files });
  return { files: outputs.to };
});
${end}\n`;

describe("a pipeline in TypeScript", () => {
  test.each([
    ["its default export", "copies.ts", "export default copies;"],
    ["its export `pipeline`", "copies.mts", "export { copies as pipeline };"],
  ])("is the module's when it is %s", async (_, file, end) => {
    await put(file, wired(end));
    const { code, stdout, stderr } = await mlpipe("validate", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`${file} is valid. To run it:\n  mlpipe run ${file} --input files=<path> --watch\n`);
  });

  test("can be plain JavaScript", async () => {
    await put("copies.js", wired("export default copies;"));
    expect(await mlpipe("validate", "copies.js")).toMatchObject({ code: 0 });
  });

  test.each([
    ["that is not there", "none.ts", undefined, "none.ts: there is no file none.ts"],
    [
      "without a pipeline",
      "empty.ts",
      "export const x = 1;",
      "empty.ts: exports no pipeline; write `export default pipeline(...)`",
    ],
    ["whose export is another thing", "other.ts", "export default 3;", "other.ts: its default export is no pipeline"],
    [
      "that throws",
      "thrown.ts",
      "const x: number = 1;\nthrow new Error(`no luck ${x}`);",
      "thrown.ts:2:7: cannot be loaded: no luck 1",
    ],
    ["that is no TypeScript", "wrong.ts", "const = 1;", "wrong.ts:1"],
    [
      "that imports what is not there",
      "lost.ts",
      'import "./none.ts";',
      "lost.ts: cannot be loaded: Cannot find module",
    ],
    [
      "whose nodes have one name",
      "twice.ts",
      wired(
        "export default pipeline({ name: 'twice' }, ({ node }) => {\n  const from = { path: 'azureml:x:1' };\n  node(copy, { from });\n  node(copy, { from });\n  return {};\n});",
      ),
      "twice.ts:10:3: cannot be loaded: pipeline twice: two nodes are called `copy`",
    ],
  ])("%s is refused with the reason and its place", async (_, file, text, told) => {
    if (text !== undefined) await put(file, text);
    const { code, stderr } = await mlpipe("validate", file);
    expect(stderr).toContain(`error: ${told}`);
    expect(code).toBe(2);
  });
});

describe("export", () => {
  test("prints what validate takes, and says on standard error what is still to be given", async () => {
    await put("copies.ts", wired("export default copies;"));
    const { code, stdout, stderr } = await mlpipe("export", "copies.ts");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "warning: the input `files` has no value: `az ml job create --set inputs.files.path=...`\n",
    });
    await put("copies.yml", stdout);
    expect(await mlpipe("validate", "copies.yml")).toMatchObject({ code: 0, stderr: "" });
  });

  test("writes files into a folder and names them", async () => {
    await put("copies.ts", wired("export default copies;"));
    const { stdout } = await mlpipe("export", "copies.ts", "--out", "out");
    expect(stdout).toBe("out/copies.yml\nout/components/copy.yml\n");
    expect(await mlpipe("validate", "out/copies.yml")).toMatchObject({ code: 0, stderr: "" });
  });

  test("prints YAML as it is written, unless a folder or the files' content is asked for", async () => {
    const text = "# why\ntype:  command\ncomponent: 'c.yml'   # where\nzzz: 1\n";
    await put("p.yml", text);
    await put("c.yml", "name: c # what\n");
    expect((await mlpipe("export", "p.yml")).stdout).toBe(text);
    expect((await mlpipe("export", "p.yml", "--inline")).stdout).toBe(
      "# why\ntype:  command\ncomponent:   # where\n  name: c # what\nzzz: 1\n",
    );
    expect((await mlpipe("export", "p.yml", "--out", "out")).stdout).toBe("out/p.yml\n");
    expect(await readFile(join(cwd, "out/p.yml"), "utf8")).toBe(text.replace("'c.yml'", "'../c.yml'"));
  });

  test("never writes a file over itself", async () => {
    await put("p.yml", "type: command\n");
    const { code, stderr } = await mlpipe("export", "p.yml", "--out", ".");
    expect(stderr).toContain("p.yml would be written over itself");
    expect(code).toBe(3);
  });
});

describe("types", () => {
  test("writes a module that says what the components' files say, and tells when it is not up to date", async () => {
    await put(
      "c.yml",
      "name: c\ninputs: {n: {type: integer, default: 1e0}, m: {type: string, enum: [a, b], optional: yes}}\n",
    );
    expect(await mlpipe("types", "c.yml", "--out", "parts.g.ts")).toMatchObject({ code: 0, stdout: "parts.g.ts\n" });
    expect(await readFile(join(cwd, "parts.g.ts"), "utf8")).toBe(
      '// Written by `mlpipe types` from the files named here; write it anew when their inputs or outputs change.\nimport { integer, loadComponent, string } from "mlpipe";\n\nexport const c = loadComponent("./c.yml", {\n  name: "c",\n  from: import.meta.url,\n  inputs: {\n    n: integer({ default: 1 }),\n    m: string({ optional: true, enum: ["a", "b"] }),\n  },\n});\n',
    );
    expect(await mlpipe("types", "c.yml", "--out", "parts.g.ts", "--check")).toMatchObject({ code: 0 });
    await put("c.yml", "name: c\n");
    const { code, stderr } = await mlpipe("types", "c.yml", "--out", "parts.g.ts", "--check");
    expect(stderr).toContain("parts.g.ts is not up to date");
    expect(code).toBe(2);
  });

  test("knows primitive outputs, and what a component runs as", async () => {
    await put("p.yml", "type: parallel\nname: p\ninputs: {x: {type: uri_folder}}\noutputs: {rows: {type: uri_file}}\n");
    await put("d.yml", "name: d\noutputs: {ok: {type: boolean, is_control: true}, count: {type: integer}}\n");
    expect(await mlpipe("types", "p.yml", "d.yml", "--out", "parts.g.ts")).toMatchObject({ code: 0 });
    const written = await readFile(join(cwd, "parts.g.ts"), "utf8");
    expect(written).toContain('loadComponent("./p.yml", {\n  type: "parallel",\n');
    expect(written).toContain("  outputs: {\n    ok: boolean(),\n    count: integer(),\n  },\n");
  });

  test("names every file that holds no component", async () => {
    await put("a.yml", "type: sweep\n");
    await put("b.yml", "name: b\ninputs: {x: {type: folder}}\n");
    const { code, stderr } = await mlpipe("types", "a.yml", "b.yml");
    expect(stderr).toContain("error: a.yml: is no command, parallel or pipeline component");
    expect(stderr).toContain("error: b.yml:2:20 inputs.x.type: `folder` is no type");
    expect(code).toBe(2);
  });

  test("of the components here are up to date", async () => {
    const names = ["prep", "score", "train"].map((name) => `components/${name}/component.yml`);
    const args = ["types", ...names, "--out", "components/components.ts", "--check"];
    expect(await runCli(args, { cwd: root })).toMatchObject({ code: 0 });
  });
});
