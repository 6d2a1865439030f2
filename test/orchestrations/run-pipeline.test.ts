import { describe, expect, test } from "vitest";
import { type RunInput, runPipeline } from "#orchestrations/run-pipeline.ts";
import type { NodeResult, ReusedResult } from "#shared/domain/node-result.ts";
import { type PlanGraph } from "#shared/domain/plan.ts";
import { RunProgress } from "#shared/domain/run-progress.ts";
import { type Call, play, type Stage } from "./stage.ts";

const input: RunInput = {
  runId: "r1",
  pipeline: "p",
  experimentName: "e",
  tags: {},
  nodeCount: 3,
  createdTime: "2026-01-05T10:00:00.000Z",
};

function graph(edges: Record<string, string[]>, continueOnStepFailure = false): PlanGraph {
  const nodes = Object.entries(edges).map(([name, dependsOn]) => ({
    name,
    dependsOn,
    kind: "command" as const,
    component: name,
    instanceTypes: [],
  }));
  return { pipeline: "p", continueOnStepFailure, nodes };
}

const base = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z", endTime: "2026-01-05T10:00:02.000Z" };
const completed = (node: string): NodeResult => ({
  ...base,
  node,
  status: "completed",
  outputs: { out: `azureml://${node}/` },
});
const reused = (node: string): ReusedResult => ({
  ...base,
  attempt: 0,
  node,
  status: "reused",
  key: `key of ${node}`,
  outputs: { out: `azureml://old/${node}/` },
  identities: { out: `content:${node}` },
  reusedFrom: { runId: "r0", node },
});
const failed = (node: string): NodeResult => ({ ...base, node, status: "failed", failure: { reason: "exit code 1" } });
const canceled = (node: string): NodeResult => ({ ...base, node, status: "canceled" });
const tell = (result: NodeResult) => ({ kind: "node-ended", result });

interface Started {
  node: string;
  upstream: Record<string, string>;
}
const startedBy = (stage: Stage): Started[][] =>
  stage.calls
    .filter(({ name }) => name === "startNodes")
    .map(({ input: value }) => (value as { nodes: Started[] }).nodes);

interface Answers {
  readonly check?: (call: Call) => unknown;
  /** Results of the nodes that need not run, by what is about to start. */
  readonly reuse?: (nodes: readonly Started[]) => ReusedResult[];
  readonly remember?: () => unknown;
}

function run(
  of: PlanGraph,
  events: readonly unknown[],
  { check = () => [], reuse = () => [], remember = () => null }: Answers = {},
) {
  const answers: Record<string, (call: Call) => unknown> = {
    readGraph: () => of,
    checkNodes: check,
    startNodes: ({ input: value }) => ({ reused: reuse((value as { nodes: Started[] }).nodes) }),
    rememberRun: remember,
  };
  return play(runPipeline, {
    input,
    activity: (call) => answers[call.name]?.(call) ?? null,
    event: (wait) => events[wait - 1],
  });
}

const lastProgress = (stage: Stage) => RunProgress.parse(stage.statuses.at(-1));

describe("a run", () => {
  test("starts what is ready together and hands each node the URIs it reads", () => {
    const of = graph({ a: [], b: [], c: ["a", "b"], d: ["c"] });
    const { output, stage } = run(of, [
      tell(completed("b")),
      tell(completed("a")),
      tell(completed("c")),
      tell(completed("d")),
    ]);
    expect(startedBy(stage).map((nodes) => nodes.map(({ node }) => node))).toEqual([["a", "b"], ["c"], ["d"]]);
    expect(startedBy(stage)[1]?.[0]?.upstream).toEqual({ "a.out": "azureml://a/", "b.out": "azureml://b/" });
    expect(startedBy(stage)[2]?.[0]?.upstream).toEqual({ "c.out": "azureml://c/" });
    expect(output).toMatchObject({ status: "completed" });
    expect(lastProgress(stage).nodes).toBe("cccc");
  });

  test("takes a result that is told twice once", () => {
    const { output, stage } = run(graph({ a: [], b: ["a"] }), [
      tell(completed("a")),
      tell(completed("a")),
      tell(failed("a")),
      tell(completed("b")),
    ]);
    expect(startedBy(stage)).toHaveLength(2);
    expect(output).toMatchObject({ status: "completed" });
  });

  test("with a failed node starts nothing more, cancels what runs, and names the node", () => {
    const { output, stage } = run(graph({ a: [], b: [], c: ["a"] }), [tell(failed("a")), tell(canceled("b"))]);
    expect(stage.calls.find(({ name }) => name === "signalNodes")?.input).toMatchObject({
      nodes: ["b"],
      signal: { kind: "cancel" },
    });
    expect(output).toMatchObject({ status: "failed", failure: { node: "a", reason: "exit code 1" } });
    expect(lastProgress(stage).nodes).toBe("fxs");
  });

  test("that continues on failure runs every branch that can, and fails at the end", () => {
    const { output, stage } = run(graph({ a: [], b: [], c: ["a"], d: ["b"] }, true), [
      tell(failed("a")),
      tell(completed("b")),
      tell(completed("d")),
    ]);
    expect(output).toMatchObject({ status: "failed", failure: { node: "a" } });
    expect(lastProgress(stage).nodes).toBe("fcsc");
  });

  test("that is cancelled cancels its running nodes and ends when they have", () => {
    const { output, stage } = run(graph({ a: [], b: ["a"] }), [
      { kind: "cancel", reason: "by hand" },
      { kind: "cancel", reason: "again" },
      tell(canceled("a")),
    ]);
    expect(stage.calls.filter(({ name }) => name === "signalNodes")).toHaveLength(1);
    expect(output).toMatchObject({ status: "canceled" });
    expect(lastProgress(stage)).toMatchObject({ nodes: "xx", cancelReason: "by hand" });
  });

  test("asked to check finds the result that a lost signal kept from it", () => {
    const { output } = run(graph({ a: [] }), [{ kind: "check" }], { check: () => [completed("a")] });
    expect(output).toMatchObject({ status: "completed" });
  });

  test("takes the nodes that need not run as done, with their outputs, and starts what reads them", () => {
    const of = graph({ a: [], b: ["a"], c: ["b"], d: ["c"] });
    const { output, stage } = run(of, [tell(completed("c")), tell(completed("d"))], {
      reuse: (nodes) => (nodes.some(({ node }) => node === "a") ? [reused("a"), reused("b")] : []),
    });
    expect(startedBy(stage).map((nodes) => nodes.map(({ node }) => node))).toEqual([["a"], ["c"], ["d"]]);
    expect(startedBy(stage)[1]?.[0]).toMatchObject({
      upstream: { "b.out": "azureml://old/b/" },
    });
    expect(lastProgress(stage).nodes).toBe("uucc");
    expect(output).toMatchObject({ status: "completed", uris: { "a.out": "azureml://old/a/" } });
  });

  test("of which nothing needs to run ends at once, with nothing to remember", () => {
    const { output, stage } = run(graph({ a: [], b: ["a"] }), [], { reuse: () => [reused("a"), reused("b")] });
    expect(stage.calls.map(({ name }) => name)).toEqual(["readGraph", "startNodes"]);
    expect(output).toMatchObject({ status: "completed" });
  });

  test("starts each node that is reused no second time when its outputs come out the same further down", () => {
    const { stage } = run(graph({ a: [], b: ["a"] }), [tell(completed("a"))], {
      reuse: (nodes) => (nodes[0]?.node === "b" ? [reused("b")] : []),
    });
    expect(startedBy(stage)).toHaveLength(2);
    expect(lastProgress(stage).nodes).toBe("cu");
  });

  test("has the nodes remembered that ran before it ends", () => {
    const { stage } = run(graph({ a: [], b: ["a"] }), [tell(completed("a")), tell(failed("b"))]);
    expect(stage.calls.at(-1)).toEqual({ name: "rememberRun", input: { runId: "r1", nodes: ["a"] } });
  });

  test("ends well even when it cannot be remembered", () => {
    const { output } = run(graph({ a: [] }), [tell(completed("a"))], {
      remember: () => {
        throw new Error("the store is down");
      },
    });
    expect(output).toMatchObject({ status: "completed" });
  });

  test("of a long chain drops its history often, as the graph it was given says", () => {
    const names = Array.from({ length: 100 }, (_, index) => `node_${index}`);
    const chain = graph(Object.fromEntries(names.map((name, index) => [name, names.slice(index - 1, index)])));
    const ends = names.map((node) => tell(completed(node)));
    expect(run({ ...chain, turnAfter: 20 }, ends).stage.generations).toBe(5);
    expect(run(chain, ends).stage.generations).toBe(1);
  });

  test("keeps its custom status under 16 KB whatever the reason of a failure is made of", () => {
    const edges = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`node_${index}`, [] as string[]]));
    const [first = "", ...others] = Object.keys(edges);
    const reason = "\u0001\ud800".repeat(5_000);
    const end: NodeResult = { ...base, node: first, status: "failed", failure: { reason } };
    const { stage } = run(graph(edges, true), [tell(end), ...others.map((node) => tell(completed(node)))]);
    const sizes = stage.statuses.map((status) => JSON.stringify(status).length * 2);
    expect(Math.max(...sizes)).toBeLessThan(16 * 1024);
    expect(lastProgress(stage).failure?.node).toBe(first);
  });

  test("of 1,000 nodes drops its history as it goes and keeps its custom status under 16 KB", () => {
    const edges = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`node_${index}`, [] as string[]]));
    const { output, stage } = run(
      graph(edges),
      Object.keys(edges).map((node) => tell(completed(node))),
    );
    expect(output).toMatchObject({ status: "completed" });
    expect(stage.generations).toBe(5);
    const sizes = stage.statuses.map((status) => JSON.stringify(status).length * 2);
    expect(Math.max(...sizes)).toBeLessThan(16 * 1024);
  });
});
