import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runParallelFor } from "#orchestrations/run-parallel-for.ts";
import type { Loop } from "#shared/domain/control/loop-state.ts";
import type { Call, Stage } from "./stage.ts";
import { bodyGraph, canceled, completed, failed, namesIn, playLoop, startedIn, stoppedIn, tell } from "./loop-stage.ts";

function loopOver(items: number, { continues = false, atOnce }: { continues?: boolean; atOnce?: number } = {}): Loop {
  return {
    planNode: "loop",
    plan: {
      kind: "parallel_for",
      body: "step",
      ports: {},
      ...(atOnce === undefined ? {} : { maxConcurrency: atOnce }),
    },
    graph: bodyGraph({ step: [] }, continues),
    outputs: { out: { node: "step", output: "out" } },
    items: Array.from({ length: items }, (_, index) => ({ "loop.n": `data:,${index}` })),
  };
}

const gathering = {
  gatherOutputs: ({ input }: Call) => ({ outputs: { out: JSON.stringify((input as { rounds: unknown }).rounds) } }),
};
const gathered = (stage: Stage) => stage.calls.filter(({ name }) => name === "gatherOutputs").map(({ input }) => input);
const item = (number: number) => `loop.item_${number}`;

describe("a parallel_for", () => {
  test("runs all items at once, each with its own values, and gathers their outputs in order", () => {
    const events = [3, 1, 2].map((number) => tell(completed(item(number))));
    const { output, stage } = playLoop(runParallelFor, loopOver(3), events, gathering);
    expect(startedIn(stage)).toEqual([
      [1, 2, 3].map((number) => ({
        node: item(number),
        upstream: { "prep.o": "u", "loop.n": `data:,${number - 1}` },
      })),
    ]);
    expect(gathered(stage)).toEqual([
      { runId: "r1", node: "loop", rounds: [1, 2, 3].map((number) => ({ out: `azureml://${item(number)}` })) },
    ]);
    expect(output).toMatchObject({ status: "completed", loop: { total: 3, begun: 3, completed: 3 } });
  });

  test("adds up how long the machines of all items were used, each once", () => {
    const events = [1, 2, 1].map((number) => tell({ ...completed(item(number)), machineTime: { A: number } }));
    const { output } = playLoop(runParallelFor, loopOver(2), events, gathering);
    expect(output).toMatchObject({ status: "completed", machineTime: { A: 3 } });
  });

  test("runs so many at a time", () => {
    const events = [2, 1, 3, 4].map((number) => tell(completed(item(number))));
    const { stage } = playLoop(runParallelFor, loopOver(4, { atOnce: 2 }), events, gathering);
    expect(namesIn(stage)).toEqual([[item(1), item(2)], [item(3)], [item(4)]]);
  });

  test("stops the others and begins no more when an item fails", () => {
    const events = [tell(failed(item(2))), tell(canceled(item(1)))];
    const { output, stage } = playLoop(runParallelFor, loopOver(4, { atOnce: 2 }), events, gathering);
    expect(namesIn(stage)).toHaveLength(1);
    expect(stoppedIn(stage)).toEqual([
      { runId: "r1", nodes: [item(1)], signal: { kind: "cancel", reason: "item 2 failed: exit code 1" } },
    ]);
    expect(output).toMatchObject({ status: "failed", failure: { reason: "item 2 failed: exit code 1" } });
    expect(gathered(stage)).toEqual([]);
  });

  test("runs the other items all the same in a pipeline that goes on, and fails in the end", () => {
    const events = [tell(failed(item(1))), tell(completed(item(2))), tell(completed(item(3)))];
    const { output, stage } = playLoop(runParallelFor, loopOver(3, { continues: true, atOnce: 1 }), events, gathering);
    expect(namesIn(stage)).toHaveLength(3);
    expect(stoppedIn(stage)).toEqual([]);
    expect(output).toMatchObject({ status: "failed", loop: { begun: 3, completed: 2 } });
  });

  test("over nothing completes at once", () => {
    expect(playLoop(runParallelFor, loopOver(0), [], gathering).output).toMatchObject({ status: "completed" });
  });

  test("fails when what was made cannot be gathered", () => {
    const answers = { gatherOutputs: () => ({ reason: "the output `n` of item 1 was not written" }) };
    expect(playLoop(runParallelFor, loopOver(1), [tell(completed(item(1)))], answers).output).toMatchObject({
      status: "failed",
      failure: { reason: "the output `n` of item 1 was not written" },
    });
  });

  test("that is cancelled stops every item", () => {
    const events = [{ kind: "cancel", reason: "by hand" }, tell(canceled(item(1))), tell(canceled(item(2)))];
    const { output, stage } = playLoop(runParallelFor, loopOver(2), events, gathering);
    expect(stoppedIn(stage)).toHaveLength(1);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("over a thousand items tells little and forgets no result", () => {
    const events = Array.from({ length: 1000 }, (_, index) => tell(completed(item(index + 1))));
    const { output, stage } = playLoop(runParallelFor, loopOver(1000), events, gathering);
    expect(output).toMatchObject({ status: "completed", loop: { total: 1000, completed: 1000 } });
    expect(Math.max(...stage.statuses.map((status) => JSON.stringify(status).length))).toBeLessThan(4_000);
    expect((gathered(stage)[0] as { rounds: object[] }).rounds).toHaveLength(1000);
  });

  test("takes a cancel that lies in its inbox when the history is dropped", () => {
    const before = Array.from({ length: 200 }, () => ({ kind: "check" }));
    const after = [tell(canceled(item(2))), tell(canceled(item(1)))];
    const events = [...before, ...after];
    const cancel = [{ kind: "cancel", reason: "by hand" }];
    const { output, stage } = playLoop(runParallelFor, loopOver(2), events, gathering, cancel);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
    expect(stage.generations).toBe(2);
    expect(stoppedIn(stage)[0]).toMatchObject({ nodes: [item(1), item(2)] });
  });

  test("comes to the same end whatever is doubled, forged, early, late or lost in its inbox", () => {
    const forged = [
      tell(completed("loop.item_9")),
      tell(completed("loop")),
      tell(failed("step")),
      { kind: "slot-free" },
    ];
    const told = fc.constantFrom(1, 2, 3, 4).map((number) => tell(completed(item(number))));
    const noise = fc.oneof(told, fc.constantFrom<unknown>(...forged, undefined));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 40 }), (events) => {
        const begun = new Set<string>();
        const { output, stage } = playLoop(runParallelFor, loopOver(4, { atOnce: 2 }), events, {
          ...gathering,
          checkNodes: ({ input }) => (input as { nodes: string[] }).nodes.map((node) => completed(node)),
          startBodyNodes: ({ input }) => {
            for (const { node } of (input as { nodes: { node: string }[] }).nodes) {
              expect(begun.has(node)).toBe(false);
              begun.add(node);
            }
            return null;
          },
        });
        expect(output).toMatchObject({ status: "completed", loop: { total: 4, completed: 4 } });
        expect(gathered(stage)).toEqual([
          { runId: "r1", node: "loop", rounds: [1, 2, 3, 4].map((number) => ({ out: `azureml://${item(number)}` })) },
        ]);
      }),
      { numRuns: 200 },
    );
  });
});
