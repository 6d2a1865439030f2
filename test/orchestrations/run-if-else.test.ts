import { describe, expect, test } from "vitest";
import { runIfElse } from "#orchestrations/run-if-else.ts";
import { play } from "./stage.ts";

const input = {
  runId: "r1",
  node: "choose",
  kind: "if_else",
  component: "if_else",
  instanceTypes: [],
  upstream: { "check.ok": "azureml://ok" },
};

function run(answer: () => unknown, more: object = {}) {
  return play(runIfElse, {
    input: { ...input, ...more },
    activity: ({ name }) => (name === "readCondition" ? answer() : null),
    event: () => undefined,
  });
}

describe("a condition", () => {
  test.each([
    [true, "true_block"],
    [false, "false_block"],
  ])("that comes out %s tells the run which block it takes", (value, taken) => {
    const { output, stage } = run(() => ({ kind: "decided", value }));
    expect(output).toMatchObject({ status: "completed", node: "choose", outputs: {}, taken });
    expect(stage.calls.map(({ name }) => name)).toEqual(["readCondition", "reportNode"]);
    expect(stage.calls[0]?.input).toEqual({ runId: "r1", node: "choose", upstream: input.upstream });
    expect(stage.calls[1]?.input).toEqual({ runId: "r1", result: output });
  });

  test("inside a loop's round tells the loop", () => {
    const { stage } = run(() => ({ kind: "decided", value: true }), { owner: "loop" });
    expect(stage.calls.at(-1)?.input).toMatchObject({ owner: "loop" });
  });

  test("that cannot be decided, or read at all, fails and says why", () => {
    const said = run(() => ({ kind: "undecidable", reason: "its text is `maybe`" }));
    expect(said.output).toMatchObject({ status: "failed", failure: { reason: "its text is `maybe`" } });
    const down = run(() => {
      throw new Error("the store is down\nat once");
    });
    expect(down.output).toMatchObject({ status: "failed", failure: { reason: "the store is down" } });
  });
});
