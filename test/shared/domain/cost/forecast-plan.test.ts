import { describe, expect, test } from "vitest";
import { type Duration, rangeOf } from "#shared/domain/cost/durations.ts";
import { forecastPlan } from "#shared/domain/cost/forecast-plan.ts";
import { readPrices } from "#shared/domain/cost/prices.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";

/** A dollar a minute, and half of it on spot. */
const prices = readPrices('{"Standard_D4s_v5": {"dedicated": 60, "spot": 30}}');

function node(name: string, dependsOn: string[] = [], more: Partial<PlanNode> = {}): PlanNode {
  const inputs = dependsOn.map(
    (other) =>
      [
        other,
        { kind: "output" as const, type: "uri_folder" as const, node: other, output: "o", mode: "ro_mount" as const },
      ] as const,
  );
  return {
    name,
    kind: "command",
    component: { name: `${name}_c` },
    command: "true",
    environment: { kind: "asset", id: "e" },
    inputs: Object.fromEntries(inputs),
    outputs: {},
    environmentVariables: {},
    resources: { instanceTypes: ["Standard_D4s_v5"], instanceCount: 1 },
    tags: {},
    isDeterministic: true,
    forceRerun: false,
    ...more,
  };
}

const took = (name: string, machine: number, more: Partial<Duration> = {}): Duration => ({
  component: `${name}_c`,
  size: "Standard_D4s_v5",
  queued: 0,
  machine,
  ...more,
});

interface Case {
  readonly nodes: PlanNode[];
  readonly history: Record<string, Duration[]>;
  readonly settings?: Partial<Plan["settings"]>;
  readonly reused?: string[];
  readonly bodies?: Plan["bodies"];
  readonly maxJobs?: number;
}

function forecast({ nodes, history, settings, reused = [], bodies, maxJobs }: Case) {
  const plan: Plan = {
    pipeline: "p",
    experimentName: "e",
    tags: {},
    settings: { continueOnStepFailure: false, forceRerun: false, ...settings },
    nodes,
    outputs: {},
    ...(bodies === undefined ? {} : { bodies }),
  };
  return forecastPlan({
    plan,
    running: new Set(nodes.map(({ name }) => name).filter((name) => !reused.includes(name))),
    history: new Map(Object.entries(history)),
    prices,
    concurrency: maxJobs === undefined ? {} : { maxJobs },
  });
}

test("medians and 90th percentiles lie between neighbours in proportion", () => {
  expect(rangeOf([])).toBeUndefined();
  expect(rangeOf([7])).toEqual({ p50: 7, p90: 7 });
  expect(rangeOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ p50: 6, p90: 10 });
  expect(rangeOf([10, 0])?.p50).toBe(5);
});

describe("a forecast", () => {
  test("takes the longest way through the graph for the time, and every job for the money", () => {
    const { run, nodes } = forecast({
      nodes: [node("a"), node("b", ["a"]), node("c", ["a"]), node("d", ["b", "c"])],
      history: { a: [took("a", 60)], b: [took("b", 120)], c: [took("c", 600, { queued: 30 })], d: [took("d", 60)] },
    });
    expect(run).toEqual({ seconds: { p50: 750, p90: 750 }, cost: { p50: 14, p90: 14 }, isAtLeast: false, notes: [] });
    expect(nodes.get("c")).toEqual({
      seconds: { p50: 630, p90: 630 },
      cost: { p50: 10, p90: 10 },
      queuedSeconds: { p50: 30, p90: 30 },
      samples: 1,
    });
  });

  test("lets what is reused, and its time, cost nothing", () => {
    const { run, nodes } = forecast({
      nodes: [node("a"), node("b", ["a"])],
      history: { a: [took("a", 6000)], b: [took("b", 60)] },
      reused: ["a"],
    });
    expect(run).toMatchObject({ seconds: { p50: 60 }, cost: { p50: 1 } });
    expect(nodes.has("a")).toBe(false);
  });

  test("makes jobs that are limited wait for each other", () => {
    const nodes = ["a", "b", "c", "d"].map((name) => node(name));
    const history = Object.fromEntries(nodes.map(({ name }) => [name, [took(name, 100)]]));
    expect(forecast({ nodes, history }).run.seconds.p50).toBe(100);
    expect(forecast({ nodes, history, maxJobs: 2 }).run.seconds.p50).toBe(200);
    expect(forecast({ nodes, history, settings: { concurrency: { maxJobs: 1 } } }).run.seconds.p50).toBe(400);
    const perSize = { maxJobsPerSize: { Standard_D4s_v5: 1 } };
    expect(forecast({ nodes, history, settings: { concurrency: perSize } }).run.seconds.p50).toBe(400);
  });

  test("says that it is the least where a node never completed, has no price, or ran as another component", () => {
    const { run, nodes } = forecast({
      nodes: [
        node("known"),
        node("fresh"),
        node("renamed"),
        node("free", [], { resources: { instanceTypes: [], instanceCount: 1 } }),
      ],
      history: {
        known: [took("known", 60)],
        renamed: [took("other", 60)],
        free: [took("free", 60, { size: undefined })],
      },
    });
    expect(run).toMatchObject({ isAtLeast: true, cost: { p50: 1 } });
    expect(run.notes).toEqual([
      "fresh, renamed: never completed before, so nothing is known",
      "free: no price of a size that the service chooses",
    ]);
    expect(nodes.get("fresh")).toEqual({ samples: 0, isAtLeast: true });
    expect(nodes.get("free")).toMatchObject({ seconds: { p50: 60 }, cost: { p50: 0 }, isAtLeast: true });
  });

  test("goes by the size that the node got before, counts its machines, and takes spot for spot", () => {
    const resources = { instanceTypes: ["Standard_NC6s_v3", "Standard_D4s_v5"], instanceCount: 2 };
    const history = { a: [took("a", 60), took("a", 900, { size: "Standard_X" })] };
    expect(forecast({ nodes: [node("a", [], { resources })], history }).run.cost.p50).toBe(2);
    const queueSettings = { job_tier: "spot" };
    expect(forecast({ nodes: [node("a", [], { resources, queueSettings })], history }).run.cost.p50).toBe(1);
  });

  test("plays a sweep's trials so many at a time", () => {
    const sweep = {
      searchSpace: {},
      sampling: { type: "random" as const, rule: "random" as const, seed: 0 },
      objective: { goal: "minimize" as const, primaryMetric: "loss" },
      limits: { maxTotalTrials: 10, maxConcurrentTrials: 4, timeoutSeconds: 3600 },
    };
    const { run, nodes } = forecast({
      nodes: [node("a", [], { kind: "sweep", sweep })],
      history: { a: [took("a", 60)] },
    });
    expect(run).toMatchObject({ seconds: { p50: 180 }, cost: { p50: 10 }, isAtLeast: false });
    const grid = { ...sweep, sampling: { ...sweep.sampling, type: "grid" as const } };
    const searchSpace = { lr: { type: "choice" as const, values: [1, 2, 3] } };
    const few = node("a", [], { kind: "sweep", sweep: { ...grid, searchSpace } });
    expect(forecast({ nodes: [few], history: { a: [took("a", 60)] } }).run.cost.p50).toBe(3);
    // Four machines for an hour.
    expect(nodes.get("a")?.worst).toEqual({ seconds: 3600, cost: 240 });
  });

  test("plays a loop's items so many at a time, and one round where nobody knows how many", () => {
    const body = { nodes: [node("l.x"), node("l.y", ["l.x"])], outputs: {} };
    const history = { "l.x": [took("l.x", 60)], "l.y": [took("l.y", 120)] };
    const loop = (more: object) =>
      forecast({ nodes: [node("l", [], { kind: "parallel_for", loop: more as never })], history, bodies: { l: body } })
        .run;
    const each = { kind: "parallel_for", body: "l", ports: {} };
    expect(loop({ ...each, items: [{}, {}, {}], maxConcurrency: 2 })).toMatchObject({
      seconds: { p50: 360 },
      cost: { p50: 9 },
      isAtLeast: false,
    });
    expect(loop(each)).toMatchObject({ seconds: { p50: 180 }, cost: { p50: 3 }, isAtLeast: true });
    expect(loop({ kind: "do_while", body: "l", mapping: {}, maxIterations: 5 })).toMatchObject({
      seconds: { p50: 180 },
      isAtLeast: true,
      notes: ["l: rounds that its outputs decide on; one is counted"],
    });
  });

  test("tells the worst that limits leave, and never more than the cap", () => {
    const limited = { timeoutSeconds: 600 };
    const nodes = [node("a", [], limited), node("b", ["a"], { policy: { limits: { nodeSeconds: 1200 } } })];
    const history = { a: [took("a", 60)], b: [took("b", 60)] };
    expect(forecast({ nodes, history }).run.worst).toEqual({ seconds: 1800, cost: 30 });
    expect(forecast({ nodes, history, settings: { maxCost: 5, timeoutSeconds: 900 } }).run.worst).toEqual({
      seconds: 900,
      cost: 5,
    });
    expect(forecast({ nodes: [...nodes, node("c")], history }).run.worst).toBeUndefined();
  });

  test("is the same when it is asked twice, and of a thousand nodes within the blink of an eye", () => {
    const nodes = Array.from({ length: 1_000 }, (_, index) => node(`n${index}`, index < 10 ? [] : [`n${index - 10}`]));
    const history = Object.fromEntries(
      nodes.map(({ name }, index) => [name, Array.from({ length: 20 }, (_, each) => took(name, index + 7 * each))]),
    );
    const first = forecast({ nodes, history });
    expect(forecast({ nodes, history })).toEqual(first);
    expect(first.run.seconds.p90).toBeGreaterThan(first.run.seconds.p50);
  });
});
