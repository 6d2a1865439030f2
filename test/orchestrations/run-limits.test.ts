import { describe, expect, test } from "vitest";
import { type RunInput, runPipeline } from "#orchestrations/run-pipeline.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { PlanGraph } from "#shared/domain/plan.ts";
import { RunProgress } from "#shared/domain/run-progress.ts";
import { type Call, play } from "./stage.ts";

const input: RunInput = {
  runId: "r1",
  pipeline: "p",
  experimentName: "e",
  tags: {},
  nodeCount: 2,
  createdTime: "2026-01-05T10:00:00.000Z",
};
const node = (name: string, dependsOn: string[] = []) => ({
  name,
  dependsOn,
  kind: "command" as const,
  component: name,
  instanceTypes: [],
});
const base = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z", endTime: "2026-01-05T10:00:02.000Z" };
const completed = (name: string): NodeResult => ({ ...base, node: name, status: "completed", outputs: {} });
const failed = (name: string): NodeResult => ({
  ...base,
  node: name,
  status: "failed",
  failure: { reason: "exit code 1" },
});
const canceled = (name: string): NodeResult => ({ ...base, node: name, status: "canceled" });
const tell = (result: NodeResult) => ({ kind: "node-ended", result });
const cancel = { kind: "cancel", reason: "by hand" };

interface Story {
  readonly graph?: Partial<PlanGraph>;
  readonly event: (wait: number) => unknown;
  readonly activity?: (call: Call, count: number) => unknown;
}

function live({ graph, event, activity }: Story) {
  const of: PlanGraph = { pipeline: "p", continueOnStepFailure: false, nodes: [node("a"), node("b")], ...graph };
  const counts: Record<string, number> = {};
  const { output, stage } = play(runPipeline, {
    input,
    event,
    activity(call) {
      const count = (counts[call.name] = (counts[call.name] ?? 0) + 1);
      const answer = activity?.(call, count);
      if (answer !== undefined) return answer;
      if (call.name === "readGraph") return of;
      if (call.name === "startNodes") return { reused: [] };
      return call.name === "checkNodes" ? [] : null;
    },
  });
  const calls = (name: string) => stage.calls.filter((call) => call.name === name).map((call) => call.input);
  const progress = stage.statuses.map((status) => RunProgress.parse(status));
  return { output, stage, calls, progress, names: stage.calls.map(({ name }) => name) };
}

describe("a run with a time limit", () => {
  test("stops what runs when its time is over, starts nothing more, and fails by it", () => {
    const { output, calls, progress, stage } = live({
      graph: { timeoutSeconds: 3600, nodes: [node("a"), node("b", ["a"])] },
      event: (wait) => (wait === 1 ? undefined : tell(canceled("a"))),
    });
    expect(stage.elapsedSeconds).toBe(3600);
    expect(calls("signalNodes")).toEqual([
      {
        runId: "r1",
        nodes: ["a"],
        signal: { kind: "cancel", reason: "the run took longer than its limit of 3600 s" },
      },
    ]);
    expect(output).toMatchObject({
      status: "failed",
      failure: { reason: "the run took longer than its limit of 3600 s" },
    });
    expect(progress.at(-1)?.nodes).toBe("xs");
  });

  test("that ends in time knows nothing of it", () => {
    const { output, stage } = live({
      graph: { timeoutSeconds: 3600 },
      event: (wait) => tell(completed(wait === 1 ? "a" : "b")),
    });
    expect(output).toMatchObject({ status: "completed" });
    expect(stage.generations).toBe(1);
  });

  test("counts the wait for a slot too", () => {
    const { output, stage, names } = live({
      graph: { timeoutSeconds: 400, isLimited: true },
      event: () => undefined,
      activity: ({ name }) => (name === "takeSlot" ? { isGranted: false } : undefined),
    });
    expect(stage.elapsedSeconds).toBe(400);
    expect(names).not.toContain("startNodes");
    expect(output).toMatchObject({ status: "failed" });
  });
});

describe("where runs are limited", () => {
  const full = { isGranted: false, waitsFor: "a free slot: 1 of 1 runs are on their way; it is next" };

  test("a run takes a slot before it starts anything and gives it back at its end", () => {
    const { names } = live({
      graph: { isLimited: true, nodes: [node("a")] },
      event: () => tell(completed("a")),
      activity: ({ name }) => (name === "takeSlot" ? { isGranted: true } : undefined),
    });
    const slots = names.filter((name) => ["takeSlot", "startNodes", "releaseSlot"].includes(name));
    expect(slots).toEqual(["takeSlot", "startNodes", "releaseSlot"]);
  });

  test("a run without a slot says what it waits for, and asks again by signal and by the clock", () => {
    const { names, progress, output } = live({
      graph: { isLimited: true, nodes: [node("a")] },
      event: (wait) => [undefined, { kind: "slot-free" }, tell(completed("a"))][wait - 1],
      activity: ({ name }, count) => (name === "takeSlot" ? (count < 3 ? full : { isGranted: true }) : undefined),
    });
    expect(names.filter((name) => name === "takeSlot")).toHaveLength(3);
    expect(progress[0]).toMatchObject({ nodes: "w", waitsFor: full.waitsFor });
    expect(progress.at(-1)).not.toHaveProperty("waitsFor");
    expect(output).toMatchObject({ status: "completed" });
  });

  test("a run cancelled in the queue leaves it and starts nothing", () => {
    const { names, output } = live({
      graph: { isLimited: true },
      event: () => cancel,
      activity: ({ name }) => (name === "takeSlot" ? full : undefined),
    });
    expect(names).toEqual(["readGraph", "takeSlot", "releaseSlot", "notifyRunEnd"]);
    expect(output).toMatchObject({ status: "canceled" });
  });

  test("a run that was granted a slot asks for none after its history was dropped", () => {
    const nodes = Array.from({ length: 250 }, (_, index) => node(`n${index}`));
    const { names, stage } = live({
      graph: { isLimited: true, nodes },
      event: (wait) => tell(completed(`n${wait - 1}`)),
      activity: ({ name }) => (name === "takeSlot" ? { isGranted: true } : undefined),
    });
    expect(stage.generations).toBe(2);
    expect(names.filter((name) => name === "takeSlot")).toHaveLength(1);
  });
});

describe("a run that has to stop", () => {
  test("tells it again to what still runs when it is asked to check", () => {
    const { calls } = live({
      event: (wait) => [cancel, { kind: "check" }, tell(canceled("a")), tell(canceled("b"))][wait - 1],
    });
    expect(calls("signalNodes")).toHaveLength(2);
  });

  test("stops the rest also after a failure of which no signal came", () => {
    const { calls, output } = live({
      event: (wait) => [{ kind: "check" }, tell(canceled("b"))][wait - 1],
      activity: ({ name }) => (name === "checkNodes" ? [failed("a")] : undefined),
    });
    expect(calls("signalNodes")).toMatchObject([{ nodes: ["b"], signal: { reason: "node a failed" } }]);
    expect(output).toMatchObject({ status: "failed", failure: { node: "a" } });
  });
});
