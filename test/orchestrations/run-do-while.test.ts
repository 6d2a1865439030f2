import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runDoWhile } from "#orchestrations/run-do-while.ts";
import type { LoopPlan } from "#shared/domain/control/loop-plan.ts";
import type { Loop } from "#shared/domain/control/loop-state.ts";
import { bodyGraph, canceled, completed, failed, namesIn, playLoop, startedIn, stoppedIn, tell } from "./loop-stage.ts";

const plan: LoopPlan = {
  kind: "do_while",
  body: "step",
  mapping: { out: ["before"] },
  condition: "out",
  maxIterations: 3,
};
const loop: Loop = {
  planNode: "loop",
  plan,
  graph: bodyGraph({ step: [] }),
  outputs: { out: { node: "step", output: "out" } },
  items: [{ "loop.before": "data:,first" }],
};
const saying = (...values: boolean[]) => ({
  readCondition: () => ({ kind: "decided", value: values.shift() ?? false }),
});

describe("a do_while", () => {
  test("repeats its body as long as the body says so, and hands on what the last round made", () => {
    const events = [tell(completed("loop.iteration_1")), tell(completed("loop.iteration_2"))];
    const { output, stage } = playLoop(runDoWhile, loop, events, saying(true, false));
    expect(startedIn(stage)).toEqual([
      [{ node: "loop.iteration_1", upstream: { "prep.o": "u", "loop.before": "data:,first" } }],
      [{ node: "loop.iteration_2", upstream: { "prep.o": "u", "loop.before": "azureml://loop.iteration_1" } }],
    ]);
    expect(output).toMatchObject({
      status: "completed",
      node: "loop",
      outputs: { out: "azureml://loop.iteration_2" },
      loop: { begun: 2, completed: 2 },
    });
    const asked = stage.calls.filter(({ name }) => name === "readCondition").map(({ input }) => input);
    expect(asked).toEqual([
      { runId: "r1", node: "loop", upstream: { "step.out": "azureml://loop.iteration_1" } },
      { runId: "r1", node: "loop", upstream: { "step.out": "azureml://loop.iteration_2" } },
    ]);
    expect(stage.calls.at(-1)).toMatchObject({ name: "reportNode", input: { runId: "r1", result: { node: "loop" } } });
  });

  test("ends at its limit without asking again, with a condition that is always true as well", () => {
    const events = [1, 2, 3].map((number) => tell(completed(`loop.iteration_${number}`)));
    const limited = playLoop(runDoWhile, loop, events, saying(true, true, true));
    expect(limited.output).toMatchObject({ status: "completed", loop: { completed: 3 } });
    expect(limited.stage.calls.filter(({ name }) => name === "readCondition")).toHaveLength(2);
    const { condition: _condition, ...always } = plan;
    expect(playLoop(runDoWhile, { ...loop, plan: always }, events).output).toMatchObject({ loop: { completed: 3 } });
  });

  test("walks a body of several nodes in each round", () => {
    const several: Loop = {
      ...loop,
      graph: bodyGraph({ "step.a": [], "step.b": ["step.a"] }),
      outputs: { out: { node: "step.b", output: "out" } },
    };
    const events = ["a", "b"].map((name) => tell(completed(`loop.iteration_1.${name}`)));
    const { output, stage } = playLoop(runDoWhile, several, events, saying(false));
    expect(namesIn(stage)).toEqual([["loop.iteration_1.a"], ["loop.iteration_1.b"]]);
    expect(startedIn(stage)[1]?.[0]?.upstream).toMatchObject({ "step.a.out": "azureml://loop.iteration_1.a" });
    expect(output).toMatchObject({ outputs: { out: "azureml://loop.iteration_1.b" } });
  });

  test("fails with the round that failed", () => {
    const { output, stage } = playLoop(
      runDoWhile,
      loop,
      [tell(completed("loop.iteration_1")), tell(failed("loop.iteration_2"))],
      saying(true),
    );
    expect(output).toMatchObject({ status: "failed", failure: { reason: "iteration 2 failed: exit code 1" } });
    expect(namesIn(stage)).toHaveLength(2);
  });

  test("fails when nobody can tell whether to go on, or an output is missing that the next round reads", () => {
    const events = [tell(completed("loop.iteration_1"))];
    const undecided = playLoop(runDoWhile, loop, events, {
      readCondition: () => ({ kind: "undecidable", reason: "its text is `maybe`" }),
    });
    expect(undecided.output).toMatchObject({
      status: "failed",
      failure: { reason: "iteration 1: its text is `maybe`" },
    });
    const other = [tell(completed("loop.iteration_1", "other"))];
    expect(playLoop(runDoWhile, loop, other, saying(true)).output).toMatchObject({
      failure: { reason: "iteration 1 made no output out" },
    });
  });

  test("that is cancelled cancels the round in hand and begins no other", () => {
    const events = [
      { kind: "cancel", reason: "by hand" },
      { kind: "cancel", reason: "again" },
      tell(canceled("loop.iteration_1")),
    ];
    const { output, stage } = playLoop(runDoWhile, loop, events, saying(true));
    expect(stoppedIn(stage)).toEqual([
      { runId: "r1", nodes: ["loop.iteration_1"], signal: { kind: "cancel", reason: "by hand" } },
    ]);
    expect(namesIn(stage)).toHaveLength(1);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("hears of a round's end whose signal was lost, and takes one that is told twice once", () => {
    const lost = playLoop(runDoWhile, loop, [undefined], {
      ...saying(false),
      checkNodes: () => [completed("loop.iteration_1")],
    });
    expect(lost.stage.elapsedSeconds).toBe(600);
    expect(lost.output).toMatchObject({ status: "completed" });
    const twice = [
      tell(completed("loop.iteration_1")),
      tell(failed("loop.iteration_1")),
      tell(completed("loop.iteration_2")),
    ];
    expect(playLoop(runDoWhile, loop, twice, saying(true, false)).output).toMatchObject({ status: "completed" });
  });

  test("comes to the same end whatever is doubled, forged, early, late or lost in its inbox", () => {
    const told = fc.constantFrom(1, 2, 3).map((number) => tell(completed(`loop.iteration_${number}`)));
    const forged = [
      tell(completed("loop.iteration_7")),
      tell(failed("loop")),
      tell(failed("step")),
      { kind: "slot-free" },
    ];
    const noise = fc.oneof(told, fc.constantFrom<unknown>(...forged, undefined));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 30 }), (events) => {
        const { output, stage } = playLoop(runDoWhile, loop, events, {
          ...saying(true, true, false),
          checkNodes: ({ input }) => (input as { nodes: string[] }).nodes.map((node) => completed(node)),
        });
        expect(namesIn(stage)).toEqual([1, 2, 3].map((number) => [`loop.iteration_${number}`]));
        expect(output).toMatchObject({ status: "completed", outputs: { out: "azureml://loop.iteration_3" } });
      }),
      { numRuns: 200 },
    );
  });

  test("keeps its rounds when the history is dropped", () => {
    const always = { ...plan, maxIterations: 500, condition: "out" };
    const events = Array.from({ length: 450 }, (_, index) => tell(completed(`loop.iteration_${index + 1}`)));
    let asked = 0;
    const { output, stage } = playLoop(runDoWhile, { ...loop, plan: always }, events, {
      readCondition: () => ({ kind: "decided", value: (asked += 1) < 450 }),
    });
    expect(stage.generations).toBe(3);
    expect(output).toMatchObject({ status: "completed", loop: { completed: 450 } });
    expect(JSON.stringify(stage.statuses.at(-1)).length).toBeLessThan(4_000);
  });

  test("that cannot be read fails with the reason", () => {
    expect(playLoop(runDoWhile, { kind: "refused", reason: "no `x` was made" }, []).output).toMatchObject({
      status: "failed",
      failure: { reason: "no `x` was made" },
    });
    const down = playLoop(runDoWhile, loop, [], {
      readLoop: () => {
        throw new Error("the store is down");
      },
    });
    expect(down.output).toMatchObject({ status: "failed", failure: { reason: "the store is down" } });
  });
});
