import { describe, expect, test } from "vitest";
import {
  commandExpressions,
  parseBinding,
  resolveOptionalParts,
  withoutOptionalParts,
} from "#shared/domain/expressions.ts";

describe("bindings", () => {
  test.each([
    ["${{parent.inputs.epochs}}", { kind: "pipelineInput", name: "epochs" }],
    ["  ${{ parent.inputs.group.rate }} ", { kind: "pipelineInput", name: "group.rate" }],
    ["${{parent.jobs.prep-job.outputs.table}}", { kind: "nodeOutput", node: "prep-job", output: "table" }],
    ["${{parent.jobs.prep.inputs.rate}}", { kind: "nodeInput", node: "prep", input: "rate" }],
    ["${{parent.outputs.model}}", { kind: "pipelineOutput", name: "model" }],
    ["${{parent.jobs.body}}", { kind: "node", node: "body" }],
  ])("%s", (text, expected) => {
    expect(parseBinding(text)).toEqual(expected);
  });

  test.each([["${parent.inputs.x}"], ["${{name}}"], ["${{inputs.x}}"], ["plain"], [7], [null]])(
    "%j is none",
    (value) => {
      expect(parseBinding(value)).toBeUndefined();
    },
  );

  test("the old spelling without `parent.` counts where only a binding makes sense", () => {
    expect(parseBinding("${{jobs.prep.outputs.table}}", { allowShort: true })).toEqual({
      kind: "nodeOutput",
      node: "prep",
      output: "table",
    });
    expect(parseBinding("azureml://datastores/a/paths/${{name}}", { allowShort: true })).toBeUndefined();
  });

  test.each([["a ${{parent.inputs.x}} b"], ["${{parent.input.x}}"], ["${{parent.jobs.x.output.y}}"]])(
    "%s is malformed",
    (text) => {
      expect(parseBinding(text)).toMatchObject({ kind: "malformed" });
    },
  );
});

describe("commands", () => {
  test("expressions are found with spaces inside the braces", () => {
    expect(
      commandExpressions("a ${{ inputs.x }} ${{outputs.y}} ${{search_space.z}} ${HOME}").map(
        ({ scope, name }) => `${scope}.${name}`,
      ),
    ).toEqual(["inputs.x", "outputs.y", "search_space.z"]);
  });

  test("an optional part stays when every input it names has a value, and only then", () => {
    const command = "run $[[--a ${{inputs.a}}]] $[[--ab ${{inputs.a}} ${{inputs.b}} > ${{outputs.c}}]] $[[always]]";
    expect(resolveOptionalParts(command, (name) => name === "a")).toBe("run --a ${{inputs.a}}  always");
    expect(withoutOptionalParts(command)).toBe("run   ");
  });
});
