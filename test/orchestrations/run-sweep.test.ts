import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runSweep, type SweepInput } from "#orchestrations/run-sweep.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { SweepPlan } from "#shared/domain/sweep/sweep-plan.ts";
import { type Call, play, type Stage } from "./stage.ts";

const input: SweepInput = {
  runId: "r1",
  node: "tune",
  kind: "sweep",
  component: "train",
  instanceTypes: [],
  upstream: {},
};
const plan = (more: object = {}) =>
  SweepPlan.parse({
    searchSpace: { lr: { type: "choice", values: [0.1, 0.2, 0.3] } },
    sampling: { type: "grid" },
    objective: { goal: "maximize", primaryMetric: "acc" },
    limits: { maxTotalTrials: 10, maxConcurrentTrials: 2 },
    ...more,
  });

const base = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z", endTime: "2026-01-05T10:00:02.000Z" };
const done = (number: number): NodeResult => ({
  ...base,
  node: `tune.trial_${number}`,
  jobName: `job-${number}`,
  status: "completed",
  outputs: { model: `azureml://${number}/` },
});
const failed = (number: number): NodeResult => ({
  ...base,
  node: `tune.trial_${number}`,
  status: "failed",
  failure: { reason: "exit code 1" },
});
const canceled = (number: number): NodeResult => ({ ...base, node: `tune.trial_${number}`, status: "canceled" });
const tell = (result: NodeResult) => ({ kind: "node-ended", result });

/** The metric a trial has logged, by its number. */
type Metrics = (number: number) => number[];

/** Of the nodes asked for, those that have ended. */
type Check = (nodes: string[]) => NodeResult[];

function script(of: SweepPlan, metrics: Metrics = (number) => [number / 10], check: Check = () => []) {
  return {
    input,
    activity: (call: Call) => {
      const { nodes } = call.input as { nodes: string[] };
      if (call.name === "readSweep") return of;
      if (call.name === "readTrialMetrics") return nodes.map((node) => metrics(Number(node.split("_").at(-1))));
      return call.name === "checkNodes" ? check(nodes) : null;
    },
  };
}

function run(of: SweepPlan, events: readonly unknown[], metrics?: Metrics, check?: Check) {
  return play(runSweep, { ...script(of, metrics, check), event: (wait) => events[wait - 1] });
}

const started = (stage: Stage) =>
  stage.calls
    .filter(({ name }) => name === "startTrials")
    .map(({ input: value }) => (value as { trials: { node: string }[] }).trials.map(({ node }) => node));
const signals = (calls: readonly Call[]) =>
  calls.filter(({ name }) => name === "signalNodes").map(({ input: value }) => value);

describe("a sweep", () => {
  test("runs so many trials at a time, and hands on the outputs of the best", () => {
    const { output, stage } = run(plan(), [tell(done(2)), tell(done(1)), tell(done(3))], (number) => [
      [0.5, 0.9, 0.7][number - 1] ?? 0,
    ]);
    expect(started(stage)).toEqual([["tune.trial_1", "tune.trial_2"], ["tune.trial_3"]]);
    expect(output).toMatchObject({
      status: "completed",
      node: "tune",
      jobName: "job-2",
      outputs: { model: "azureml://2/" },
      sweep: { bestTrial: 2 },
    });
    expect((output as { sweep: SweepSummary }).sweep.trials.map(({ values }) => values.lr)).toEqual([
      "0.1",
      "0.2",
      "0.3",
    ]);
    expect(stage.calls.at(-1)).toMatchObject({ name: "reportNode", input: { runId: "r1" } });
  });

  test("survives failed trials, and fails when none completes", () => {
    expect(run(plan(), [tell(failed(1)), tell(done(2)), tell(failed(3))]).output).toMatchObject({
      status: "completed",
      sweep: { bestTrial: 2 },
    });
    expect(run(plan(), [tell(failed(1)), tell(failed(2)), tell(failed(3))]).output).toMatchObject({
      status: "failed",
      failure: { reason: "none of 3 trials completed" },
    });
  });

  test("ends when there is no money for a trial, and adds up how long the machines of all were used", () => {
    const poor: NodeResult = {
      ...base,
      node: "tune.trial_1",
      status: "failed",
      failure: { class: "cost-cap", reason: "the cap of $5.00 is reached: $4.20 spent" },
      machineTime: { A: 30 },
    };
    const { output, stage } = run(plan(), [tell(poor), tell({ ...canceled(2), machineTime: { A: 12.5, B: 1 } })]);
    expect(started(stage)).toHaveLength(1);
    expect(signals(stage.calls)).toMatchObject([{ nodes: ["tune.trial_2"], signal: { kind: "cancel" } }]);
    expect(output).toMatchObject({
      status: "failed",
      failure: { class: "cost-cap", reason: "the cap of $5.00 is reached: $4.20 spent" },
      machineTime: { A: 42.5, B: 1 },
    });
  });

  test("fails when no trial logs the metric, and names it", () => {
    const { output } = run(plan(), [tell(done(1)), tell(done(2)), tell(done(3))], () => []);
    expect(output).toMatchObject({
      status: "failed",
      failure: { reason: expect.stringContaining("none logged the metric acc") as string },
    });
  });

  test("stops a trial that falls behind, and counts it as stopped", () => {
    const of = plan({ earlyTermination: { type: "bandit", slack_amount: 0.1 } });
    const { output, stage } = run(of, [undefined, tell(canceled(2)), tell(done(1)), tell(done(3))], (number) => [
      [0.9, 0.2, 0.85][number - 1] ?? 0,
    ]);
    expect(signals(stage.calls)[0]).toMatchObject({
      nodes: ["tune.trial_2"],
      signal: { kind: "cancel", reason: expect.stringContaining("bandit") as string },
    });
    expect((output as { sweep: SweepSummary }).sweep.trials.map(({ status }) => status)).toEqual([
      "completed",
      "stopped",
      "completed",
    ]);
  });

  test("that is cancelled cancels its trials and starts no more", () => {
    const { output, stage } = run(plan(), [
      { kind: "cancel", reason: "by hand" },
      tell(canceled(1)),
      tell(canceled(2)),
    ]);
    expect(started(stage)).toHaveLength(1);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("past its time limit cancels what runs and keeps the best so far", () => {
    const of = plan({ limits: { maxTotalTrials: 10, maxConcurrentTrials: 2, timeoutSeconds: 30 } });
    const { output, stage } = run(of, [tell(done(1)), undefined, tell(canceled(2)), tell(canceled(3))]);
    expect(stage.elapsedSeconds).toBe(30);
    expect(output).toMatchObject({ status: "completed", sweep: { bestTrial: 1 } });
  });
});

describe("a sweep's inbox", () => {
  const forged = [
    tell({ ...done(1), node: "tune.trial_99" }),
    tell({ ...done(1), node: "other.trial_1" }),
    tell({ ...done(1), node: "tune" }),
    { kind: "check" },
    { kind: "slot-free" },
  ];

  test("takes a cancel that lies in it when the history is dropped", () => {
    const buffered: unknown[] = [{ kind: "cancel", reason: "by hand" }];
    const events = [tell(canceled(2)), tell(canceled(1))];
    const { output, stage } = play(runSweep, {
      ...script(plan()),
      event: (wait, { generations }) => (wait <= 100 ? { kind: "check" } : generations > 1 ? events.pop() : undefined),
      buffered: () => buffered.pop(),
    });
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
    expect(stage.generations).toBe(2);
    expect(signals(stage.calls)[0]).toMatchObject({ nodes: ["tune.trial_1", "tune.trial_2"] });
  });

  test("gives an order to stop again when it may have been lost", () => {
    const { stage } = run(plan(), [
      { kind: "cancel", reason: "by hand" },
      undefined,
      tell(canceled(1)),
      tell(canceled(2)),
    ]);
    expect(signals(stage.calls)).toHaveLength(2);
  });

  test("comes to the same end whatever is doubled, forged, late or lost in it", () => {
    const honest = run(plan(), [tell(done(1)), tell(done(2)), tell(done(3))]).output as { outputs: unknown };
    const trial = fc.constantFrom(1, 2, 3);
    const noise = fc.oneof(
      trial.map((number) => tell(done(number))),
      fc.constantFrom<unknown>(...forged, undefined),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 40 }), (events) => {
        const { output, stage } = run(plan(), events, undefined, (nodes) =>
          nodes.map((node) => done(Number(node.at(-1)))),
        );
        expect(output).toMatchObject({ status: "completed", outputs: honest.outputs, sweep: { bestTrial: 3 } });
        expect(started(stage).flat().toSorted()).toEqual(["tune.trial_1", "tune.trial_2", "tune.trial_3"]);
      }),
      { numRuns: 200 },
    );
  });
});

type SweepSummary = { trials: { values: Record<string, string>; status: string }[] };
