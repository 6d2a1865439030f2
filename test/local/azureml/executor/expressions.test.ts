import { describe, expect, test } from "vitest";
import { UnknownNameError, expandCommand } from "#local/azureml/executor/expressions.ts";

const values = { inputs: { a: "it's $HOME", data: "/in", nested: "${{inputs.a}}" }, outputs: { model: "/out" } };

describe("expressions", () => {
  test("values are pasted as text, unquoted, inner spaces or not", () => {
    expect(expandCommand("p --a ${{inputs.a}} < ${{ inputs.data }} > ${{outputs.model }}/x", values)).toBe(
      "p --a it's $HOME < /in > /out/x",
    );
  });

  test("a pasted value is not read again", () => {
    expect(expandCommand("${{inputs.nested}}", values)).toBe("${{inputs.a}}");
  });

  test("shell braces and other expressions stay", () => {
    const command = 'for i in ${A[@]}; do echo "${i}"; done; ${{search_space.x}}';
    expect(expandCommand(command, values)).toBe(command);
  });

  test.each(["${{inputs.b}}", "${{outputs.a}}", "${{inputs.toString}}"])(
    "%s that the job does not have is named",
    (expression) => {
      expect(() => expandCommand(`echo ${expression}`, values)).toThrow(UnknownNameError);
      expect(() => expandCommand(`echo ${expression}`, values)).toThrow(expression);
    },
  );
});
