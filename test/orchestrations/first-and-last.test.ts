import { describe, expect, test } from "vitest";
import { runPipeline } from "#orchestrations/run-pipeline.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { PlanGraph } from "#shared/domain/plan.ts";
import { RunProgress } from "#shared/domain/run-progress.ts";
import { play, type Stage } from "./stage.ts";

const input = {
  runId: "r1",
  pipeline: "p",
  experimentName: "e",
  tags: {},
  nodeCount: 4,
  createdTime: "2026-01-05T10:00:00.000Z",
};

/** `first` runs before `work` and `other`, and `last` after all of them. */
const graph: PlanGraph = {
  pipeline: "p",
  continueOnStepFailure: false,
  onFinalize: "last",
  nodes: Object.entries({
    last: ["first", "work", "other"],
    first: [],
    work: ["first"],
    other: ["first"],
  }).map(([name, dependsOn]) => ({
    name,
    kind: "command" as const,
    component: name,
    instanceTypes: [],
    dependsOn,
    ...(name === "last" ? { optionalDependsOn: dependsOn } : {}),
  })),
};

const base = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z", endTime: "2026-01-05T10:00:02.000Z" };
const completed = (node: string): NodeResult => ({
  ...base,
  node,
  status: "completed",
  outputs: { out: `azureml://${node}/` },
});
const failed = (node: string): NodeResult => ({ ...base, node, status: "failed", failure: { reason: "exit code 1" } });
const canceled = (node: string): NodeResult => ({ ...base, node, status: "canceled" });
const tell = (result: NodeResult) => ({ kind: "node-ended", result });

function run(events: readonly unknown[]) {
  return play(runPipeline, {
    input,
    activity: ({ name }) => {
      if (name === "readGraph") return graph;
      if (name === "startNodes") return { reused: [] };
      return name === "checkNodes" ? [] : null;
    },
    event: (wait) => events[wait - 1],
  });
}

interface Started {
  node: string;
  upstream: Record<string, string>;
}
const started = (stage: Stage): Started[][] =>
  stage.calls
    .filter(({ name }) => name === "startNodes")
    .map(({ input: value }) => (value as { nodes: Started[] }).nodes);
const order = (stage: Stage) => started(stage).map((nodes) => nodes.map(({ node }) => node));
const stopped = (stage: Stage) =>
  stage.calls
    .filter(({ name }) => name === "signalNodes")
    .map(({ input: value }) => (value as { nodes: string[] }).nodes);
const letters = (stage: Stage) => RunProgress.parse(stage.statuses.at(-1)).nodes;

describe("a pipeline with on_init and on_finalize", () => {
  test("runs one before all others, and the other after them with nothing to read", () => {
    const { output, stage } = run(["first", "work", "other", "last"].map((node) => tell(completed(node))));
    expect(order(stage)).toEqual([["first"], ["work", "other"], ["last"]]);
    expect(started(stage).at(-1)?.[0]?.upstream).toEqual({});
    expect(output).toMatchObject({ status: "completed" });
  });

  test("that fails runs the last node once what was running has stopped, and does not stop that", () => {
    const { output, stage } = run([
      tell(completed("first")),
      tell(failed("work")),
      tell(canceled("other")),
      { kind: "check" },
      tell(completed("last")),
    ]);
    expect(order(stage)).toEqual([["first"], ["work", "other"], ["last"]]);
    expect(stopped(stage)).toEqual([["other"]]);
    expect(output).toMatchObject({ status: "failed", failure: { node: "work" } });
    expect(letters(stage)).toBe("ccfx");
  });

  test("whose first node fails skips all others but the last", () => {
    const { output, stage } = run([tell(failed("first")), tell(completed("last"))]);
    expect(order(stage)).toEqual([["first"], ["last"]]);
    expect(output).toMatchObject({ status: "failed", failure: { node: "first" } });
    expect(letters(stage)).toBe("cfss");
  });

  test("that is cancelled runs the last node, too, which another cancel stops", () => {
    const begin = [{ kind: "cancel", reason: "by hand" }, tell(canceled("first"))];
    const { output, stage } = run([...begin, tell(completed("last"))]);
    expect(order(stage)).toEqual([["first"], ["last"]]);
    expect(stopped(stage)).toEqual([["first"]]);
    expect(output).toMatchObject({ status: "canceled" });
    const again = run([...begin, { kind: "cancel", reason: "really" }, tell(canceled("last"))]);
    expect(stopped(again.stage)).toEqual([["first"], ["last"]]);
    expect(letters(again.stage)).toBe("xxxx");
  });

  test("fails when the last node does", () => {
    const results = [...["first", "work", "other"].map(completed), failed("last")].map(tell);
    expect(run(results).output).toMatchObject({ status: "failed", failure: { node: "last" } });
  });
});
