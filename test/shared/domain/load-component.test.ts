import { describe, expect, test } from "vitest";
import { loadComponent, parseComponent } from "#shared/domain/load-component.ts";
import { type Issue, formatIssue } from "#shared/errors.ts";
import { inMemoryFiles } from "#test/fixtures/in-memory-files.ts";

const texts = (issues: readonly Issue[]) => issues.map(formatIssue);
const image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04";
const step = { type: "command", name: "step", environment: { image }, command: "echo" };

describe("a component's file", () => {
  test("is read whole: code and conda file beside it are named or taken in", async () => {
    const files = inMemoryFiles({
      "c/step.yml": `
type: command
name: step
version: 1
inputs: {word: {type: string, default: hi}}
outputs: {result: {type: uri_folder}}
code: ./src
additional_includes: [../lib]
environment: {image: ${image}, conda_file: ./conda.yml}
command: python run.py \${{inputs.word}} \${{outputs.result}}
unknown_key: kept
`,
      "c/src/run.py": "print(1)",
      "c/conda.yml": "dependencies:\n  - python=3.10\n",
      "lib/shared.py": "",
    });
    const { document, localReferences, issues } = await loadComponent("c/step.yml", files);
    expect(texts(issues)).toEqual(["c/step.yml:11:1 unknown_key: `unknown_key` is not known here; it has no effect"]);
    expect(document).toMatchObject({
      type: "command",
      name: "step",
      code: "local:1",
      environment: { image, conda_file: "dependencies:\n  - python=3.10\n" },
      unknown_key: "kept",
    });
    expect(localReferences).toMatchObject([{ kind: "code", path: "c/src", additionalIncludes: ["lib"] }]);
  });

  test("may be a pipeline's, told by its `jobs`, and takes its own components in", async () => {
    const files = inMemoryFiles({
      "flow.yml": `
name: flow
inputs: {word: {type: string}}
jobs: {first: {component: ./step.yml, inputs: {word: "\${{parent.inputs.word}}"}}}
`,
      "step.yml": `{type: command, name: step, inputs: {word: {type: string}}, environment: {image: ${image}}, command: "echo \${{inputs.word}}"}`,
    });
    const { document, issues } = await loadComponent("flow.yml", files);
    expect(texts(issues)).toEqual([]);
    expect(document).toMatchObject({ type: "pipeline", jobs: { first: { component: { name: "step" } } } });
  });

  test("that is not there, or no YAML, is told with its name", async () => {
    const files = inMemoryFiles({ "bad.yml": "a: [1" });
    expect(texts((await loadComponent("none.yml", files)).issues).join()).toMatch(/none\.yml/);
    expect(texts((await loadComponent("bad.yml", files)).issues).join()).toMatch(/bad\.yml:1/);
    expect((await loadComponent("none.yml", files)).document).toBeUndefined();
  });
});

describe("a component's name and version", () => {
  test.for(["step", "a", "a_1", `a${"b".repeat(254)}`])("may be %s", async (name) => {
    expect(texts((await parseComponent({ ...step, name })).issues)).toEqual([]);
  });

  test.for([undefined, "", "Step", "1step", "a-b", "a b", "a.b", "ä", "../x", "_a", `a${"b".repeat(255)}`, 7, null])(
    "may not be %j",
    async (name) => {
      const { issues } = await parseComponent({ ...step, name });
      expect(texts(issues).join()).toMatch(/name: .*a lower-case letter, then letters, digits and `_`/);
    },
  );

  test.for([1, "1", "1.0.0-rc_1", undefined])("may have the version %j", async (version) => {
    expect(texts((await parseComponent({ ...step, version })).issues)).toEqual([]);
  });

  test.for(["a/b", "..", "", "a:b", "-1", "v 1", "1\n"])("may not have the version %j", async (version) => {
    expect(texts((await parseComponent({ ...step, version })).issues).join()).toMatch(/version: .* is no version/s);
  });
});

describe("what is wrong inside a component", () => {
  test("is told before it is registered, all at once", async () => {
    const { issues } = await parseComponent({
      ...step,
      inputs: { n: { type: "integer", default: "many" }, d: { type: "uri_foldr" } },
      command: "run ${{inputs.m}}",
    });
    expect(texts(issues)).toEqual([
      "inputs.n.default: expected a whole number, got the text `many`",
      expect.stringMatching(/^inputs\.d\.type: `uri_foldr` is no type; .*did you mean `uri_folder`/),
      "command: `${{inputs.m}}`: there is no input `m`; there is `n`, `d`",
    ]);
  });

  test("includes files that a component without files cannot have", async () => {
    const { issues } = await parseComponent({ ...step, code: "./src" });
    expect(texts(issues).join()).toMatch(/code: .*local path|\.\/src/);
  });

  test("does not include inputs without a value, which come later", async () => {
    const inputs = { n: { type: "integer" }, d: { type: "uri_folder" } };
    expect(texts((await parseComponent({ ...step, inputs, command: "x ${{inputs.n}} ${{inputs.d}}" })).issues)).toEqual(
      [],
    );
  });
});
