// One sweep node of one run: samples trials, runs so many at a time as nodes of their own, stops those that fall behind, and hands
// the best trial's outputs on as the node's. The trials report into this instance's inbox as nodes report into the run's.
import type { OrchestrationContext, Task } from "durable-functions";
import { addTime, type MachineTime } from "#shared/domain/cost/machine-time.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { type Observation, sampleTrial } from "#shared/domain/sweep/sample-trial.ts";
import { trialsToStop } from "#shared/domain/sweep/stop-early.ts";
import { bestTrial, type SweepPlan, type SweepSummary, type Trial } from "#shared/domain/sweep/sweep-plan.ts";
import { checkNodes, readSweep, readTrialMetrics, signalNodes, startTrials } from "./activities.ts";
import { call } from "./contract.ts";
import { reportEnd } from "./report-end.ts";
import type { NodeInput } from "./run-node.ts";
import type { RunSignal } from "./signals.ts";
import { atOnce, waitForSignal } from "./wait-for-signal.ts";

export interface SweepInput extends NodeInput {
  /** Set from the second generation on. */
  readonly sweep?: SweepState;
}

interface TrialState extends Trial {
  /** Where it lies in the unit cube. */
  readonly point: readonly number[];
  isStopping?: boolean;
}

interface SweepState {
  /** ISO 8601. */
  readonly startTime: string;
  readonly trials: TrialState[];
  /** The best completed trial's result, which becomes the node's. */
  best?: Extract<NodeResult, { status: "completed" }>;
  cancelReason?: string;
  isTimeout?: boolean;
  /** The money for a trial is gone: what is known of the others by then is no whole sweep. */
  isCapReached?: boolean;
  /** Of all trials that have ended. */
  machineTime?: MachineTime;
}

/** Seconds between looks at the metrics of running trials. */
const lookSeconds = 10;
/** Seconds between comparisons with the trials' own instances when nothing is heard of them. */
const checkSeconds = 600;
const signalsPerGeneration = 100;
/** Trials told in the custom status, which has little room; the end tells more. */
const toldWhileRunning = 30;
const toldAtEnd = 200;

export function* runSweep(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  const input = context.df.getInput<SweepInput>();
  const { runId, node } = input;
  const startTime = context.df.currentUtcDateTime.toISOString();
  const state: SweepState = input.sweep ?? { startTime, trials: [] };
  try {
    const plan = yield* call(context, readSweep, { runId, node });
    if (input.sweep !== undefined) yield* catchUp(context, input, plan, state);
    for (let taken = 0; ; taken += 1) {
      yield* startMore(context, input, plan, state);
      context.df.setCustomStatus(progressOf(plan, state, toldWhileRunning));
      if (running(state).length === 0) return yield* reportEnd(context, input, conclude(context, input, plan, state));
      const due = taken < signalsPerGeneration ? nextLook(context, plan, state) : atOnce(context);
      const signal = yield* waitForSignal<RunSignal>(context, due);
      if (signal === undefined) {
        context.df.continueAsNew({ ...input, sweep: state });
        return undefined;
      }
      yield* take(context, input, plan, state, signal);
    }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    const endTime = context.df.currentUtcDateTime.toISOString();
    return yield* reportEnd(context, input, {
      node,
      status: "failed",
      attempt: 1,
      refused: [],
      startTime: state.startTime,
      endTime,
      failure: { reason },
    });
  }
}

const running = ({ trials }: SweepState) => trials.filter(({ status }) => status === "running");
const trialNode = (node: string, number: number) => `${node}.trial_${number}`;

function* startMore(
  context: OrchestrationContext,
  input: SweepInput,
  plan: SweepPlan,
  state: SweepState,
): Generator<Task, void, unknown> {
  if (state.cancelReason !== undefined) return;
  const { maxTotalTrials, maxConcurrentTrials, trialTimeoutSeconds } = plan.limits;
  const started: TrialState[] = [];
  while (state.trials.length < maxTotalTrials && running(state).length < maxConcurrentTrials) {
    const number = state.trials.length + 1;
    const sample = sampleTrial(plan, number, observationsOf(plan, state));
    if (sample === undefined) break;
    const trial: TrialState = { number, point: sample.point, values: sample.values, status: "running" };
    state.trials.push(trial);
    started.push(trial);
  }
  if (started.length === 0) return;
  const { runId, node, component, instanceTypes, upstream, policy, isLimited, machines } = input;
  const trials = started.map(({ number, values }) => ({ node: trialNode(node, number), values }));
  yield* call(context, startTrials, {
    runId,
    planNode: node,
    component,
    instanceTypes: [...instanceTypes],
    upstream,
    trials,
    ...(trialTimeoutSeconds === undefined ? {} : { timeoutSeconds: trialTimeoutSeconds }),
    ...(policy === undefined ? {} : { policy }),
    ...(isLimited === undefined ? {} : { isLimited }),
    ...(machines === undefined ? {} : { machines }),
  });
}

function observationsOf(plan: SweepPlan, state: SweepState): Observation[] {
  const sign = plan.objective.goal === "minimize" ? -1 : 1;
  return state.trials.flatMap(({ point, metric }) => (metric === undefined ? [] : [{ point, quality: sign * metric }]));
}

function nextLook(context: OrchestrationContext, plan: SweepPlan, state: SweepState): Date {
  const now = context.df.currentUtcDateTime.getTime();
  const look = now + 1000 * (plan.earlyTermination === undefined ? checkSeconds : lookSeconds);
  const { timeoutSeconds } = plan.limits;
  const deadline =
    timeoutSeconds === undefined || state.cancelReason !== undefined
      ? Infinity
      : Date.parse(state.startTime) + 1000 * timeoutSeconds;
  return new Date(Math.max(now + 1, Math.min(look, deadline)));
}

/** What a turn of the generation stands for: a look at what signals may have been lost, at the metrics, and at the clock. */
function* catchUp(
  context: OrchestrationContext,
  input: SweepInput,
  plan: SweepPlan,
  state: SweepState,
): Generator<Task, void, unknown> {
  const { runId, node } = input;
  const nodes = running(state).map(({ number }) => trialNode(node, number));
  if (nodes.length > 0) {
    for (const result of yield* call(context, checkNodes, { runId, nodes }))
      yield* takeResult(context, input, plan, state, result);
  }
  // An order to stop may have been lost.
  if (state.cancelReason !== undefined) yield* cancelTrials(context, input, state, state.cancelReason);
  const { timeoutSeconds } = plan.limits;
  const isLate =
    timeoutSeconds !== undefined &&
    context.df.currentUtcDateTime.getTime() >= Date.parse(state.startTime) + 1000 * timeoutSeconds;
  if (isLate && state.cancelReason === undefined) {
    state.isTimeout = true;
    yield* cancelTrials(context, input, state, `the sweep ran longer than its limit of ${timeoutSeconds} s`);
  }
  if (plan.earlyTermination !== undefined && state.cancelReason === undefined)
    yield* stopLaggards(context, input, plan, state);
}

function* stopLaggards(
  context: OrchestrationContext,
  input: SweepInput,
  plan: SweepPlan,
  state: SweepState,
): Generator<Task, void, unknown> {
  const { earlyTermination, objective } = plan;
  const { runId, node } = input;
  const candidates = running(state).filter(({ isStopping }) => isStopping !== true);
  if (earlyTermination === undefined || candidates.length === 0) return;
  const nodes = state.trials.map(({ number }) => trialNode(node, number));
  const metrics = yield* call(context, readTrialMetrics, { runId, nodes, metric: objective.primaryMetric });
  const seen = state.trials.map((trial, index) => ({
    number: trial.number,
    isRunning: trial.status === "running" && trial.isStopping !== true,
    values: metrics[index] ?? [],
  }));
  const stopped = trialsToStop(earlyTermination, objective.goal, seen);
  if (stopped.length === 0) return;
  for (const trial of state.trials) if (stopped.includes(trial.number)) trial.isStopping = true;
  const reason = `stopped early: behind the other trials by the ${earlyTermination.type} policy`;
  yield* call(context, signalNodes, {
    runId,
    nodes: stopped.map((number) => trialNode(node, number)),
    signal: { kind: "cancel", reason },
  });
}

function* take(
  context: OrchestrationContext,
  input: SweepInput,
  plan: SweepPlan,
  state: SweepState,
  signal: RunSignal,
): Generator<Task, void, unknown> {
  if (signal.kind === "node-ended") yield* takeResult(context, input, plan, state, signal.result);
  if (signal.kind === "cancel" && state.cancelReason === undefined)
    yield* cancelTrials(context, input, state, signal.reason);
}

function* cancelTrials(
  context: OrchestrationContext,
  input: SweepInput,
  state: SweepState,
  reason: string,
): Generator<Task, void, unknown> {
  state.cancelReason = reason;
  const nodes = running(state).map(({ number }) => trialNode(input.node, number));
  if (nodes.length > 0)
    yield* call(context, signalNodes, { runId: input.runId, nodes, signal: { kind: "cancel", reason } });
}

function* takeResult(
  context: OrchestrationContext,
  input: SweepInput,
  plan: SweepPlan,
  state: SweepState,
  result: NodeResult,
): Generator<Task, void, unknown> {
  const trial = state.trials.find(({ number }) => trialNode(input.node, number) === result.node);
  if (trial?.status !== "running") return;
  const { goal, primaryMetric } = plan.objective;
  const [values = []] = yield* call(context, readTrialMetrics, {
    runId: input.runId,
    nodes: [result.node],
    metric: primaryMetric,
  });
  if (values.length > 0) trial.metric = goal === "minimize" ? Math.min(...values) : Math.max(...values);
  const machineTime = addTime(state.machineTime, result.machineTime);
  if (machineTime !== undefined) state.machineTime = machineTime;
  trial.status = result.status === "canceled" && trial.isStopping === true ? "stopped" : result.status;
  if (result.status === "completed" && bestTrial(state.trials, goal) === trial) state.best = result;
  if (result.status === "failed" && result.failure.class === "cost-cap" && state.cancelReason === undefined) {
    state.isCapReached = true;
    yield* cancelTrials(context, input, state, result.failure.reason);
  }
}

function conclude(context: OrchestrationContext, input: SweepInput, plan: SweepPlan, state: SweepState): NodeResult {
  const progress = progressOf(plan, state, toldAtEnd);
  const ended = { ...progress, node: input.node, endTime: context.df.currentUtcDateTime.toISOString() };
  const { best, cancelReason } = state;
  if (cancelReason !== undefined && state.isCapReached === true)
    return { ...ended, status: "failed", failure: { class: "cost-cap", reason: cancelReason } };
  if (cancelReason !== undefined && state.isTimeout !== true)
    return { ...ended, status: "canceled", failure: { reason: cancelReason } };
  if (best !== undefined) return { ...ended, status: "completed", outputs: best.outputs };
  const completed = state.trials.filter(({ status }) => status === "completed").length;
  const reason =
    cancelReason ??
    (completed > 0
      ? `${completed} trials completed and none logged the metric ${plan.objective.primaryMetric}`
      : `none of ${state.trials.length} trials completed`);
  return { ...ended, status: "failed", failure: { reason } };
}

function progressOf(plan: SweepPlan, state: SweepState, told: number) {
  const best = bestTrial(state.trials, plan.objective.goal);
  const sweep: SweepSummary = {
    goal: plan.objective.goal,
    primaryMetric: plan.objective.primaryMetric,
    trials: state.trials.slice(-told).map(({ number, values, status, metric }) => ({
      number,
      values,
      status,
      ...(metric === undefined ? {} : { metric }),
    })),
    ...(best === undefined ? {} : { bestTrial: best.number }),
  };
  return {
    attempt: 1,
    refused: [],
    startTime: state.startTime,
    sweep,
    ...(state.machineTime === undefined ? {} : { machineTime: state.machineTime }),
    ...(state.best?.jobName === undefined ? {} : { jobName: state.best.jobName }),
  };
}
