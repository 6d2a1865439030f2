// What both loops do: begin rounds, walk each of them as a run walks its graph, wait for their nodes, stop them, and report. The
// nodes of all rounds report into this one inbox, by names that tell their round.
import type { OrchestrationContext, Task } from "durable-functions";
import type { Item } from "#shared/domain/control/loop-plan.ts";
import {
  beginRound,
  endRound,
  type Loop,
  type LoopState,
  loopStopReason,
  nodeInRound,
  type RoundState,
  takeResult,
  toLoopSummary,
  type Walking,
  walkingRounds,
} from "#shared/domain/control/loop-state.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { advance, runningNodes, stopReason, upstreamUris } from "#shared/domain/run-state.ts";
import { checkNodes, readLoop, signalNodes, startBodyNodes } from "./activities.ts";
import { call } from "./contract.ts";
import type { NodeInput } from "./run-node.ts";
import { reportEnd } from "./report-end.ts";
import type { RunSignal } from "./signals.ts";
import { atOnce, inSeconds, waitForSignal } from "./wait-for-signal.ts";

interface LoopInput extends NodeInput {
  /** Set from the second generation on. */
  readonly state?: LoopState;
}

/** Where the two loops differ. */
export interface LoopRules {
  /** What the rounds that may begin now are given. */
  next(loop: Loop, state: LoopState): Item[];
  /** Finds out what has to be known once a round has completed. */
  settle?(
    context: OrchestrationContext,
    input: LoopInput,
    loop: Loop,
    state: LoopState,
    round: RoundState,
  ): Generator<Task, void, unknown>;
  /** The loop's own outputs, when its rounds have ended well, or why there can be none; those of the last round when absent. */
  gather?(
    context: OrchestrationContext,
    input: LoopInput,
    loop: Loop,
    state: LoopState,
  ): Generator<Task, { outputs: Record<string, string> } | { reason: string }, unknown>;
}

const signalsPerGeneration = 200;
/** Seconds between comparisons with the nodes' own instances when nothing is heard of them. */
const checkSeconds = 600;

export function* runRounds(
  context: OrchestrationContext,
  rules: LoopRules,
): Generator<Task, NodeResult | undefined, unknown> {
  const input = context.df.getInput<LoopInput>();
  const { runId, node, upstream } = input;
  const state: LoopState = input.state ?? { startTime: context.df.currentUtcDateTime.toISOString(), rounds: [] };
  try {
    const read = yield* call(context, readLoop, { runId, node, upstream });
    if (read.kind === "refused") return yield* report(context, input, state, { status: "failed", reason: read.reason });
    const loop: Loop = read;
    if (input.state !== undefined) yield* catchUp(context, input, loop, state);
    // A signal changes one round: the others are not looked at again, of which there may be thousands.
    let changed = walkingRounds(state);
    for (let taken = 0; ; taken += 1) {
      yield* moveOn(context, input, loop, state, rules, changed);
      const summary = toLoopSummary(loop, state);
      context.df.setCustomStatus({ ...begun(state), loop: summary });
      if (walkingRounds(state).length === 0) {
        const end = yield* conclude(context, input, loop, state, rules);
        return yield* report(context, input, state, end, loop);
      }
      const due = taken < signalsPerGeneration ? inSeconds(context, checkSeconds) : atOnce(context);
      const signal = yield* waitForSignal<RunSignal>(context, due);
      if (signal === undefined) {
        context.df.continueAsNew({ ...input, state });
        return undefined;
      }
      const round = signal.kind === "node-ended" ? takeResult(node, loop, state, signal.result) : undefined;
      changed = round === undefined ? [] : [round];
      if (signal.kind === "cancel") {
        state.cancelReason ??= signal.reason;
        changed = walkingRounds(state);
      }
    }
  } catch (error) {
    // An activity gave up for good: whoever waits for this loop must hear of it.
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return yield* report(context, input, state, { status: "failed", reason });
  }
}

/** Begins what may begin, starts what is ready, stops what must stop and ends what has ended, until nothing more follows. */
function* moveOn(
  context: OrchestrationContext,
  input: LoopInput,
  loop: Loop,
  state: LoopState,
  rules: LoopRules,
  changed: readonly Walking[],
): Generator<Task, void, unknown> {
  // What follows from the end of a round is the beginning of others.
  for (let looked = changed; ; looked = []) {
    if (loopStopReason(loop, state) === undefined)
      looked = [...looked, ...rules.next(loop, state).map((given) => beginRound(loop, state, given))];
    yield* stop(context, input, loop, state, looked);
    yield* start(context, input, loop, looked);
    const ended = looked.filter(({ walk }) => runningNodes(walk.run).length === 0);
    for (const round of ended) {
      endRound(loop, state, round);
      if (round.status === "completed" && rules.settle !== undefined)
        yield* rules.settle(context, input, loop, state, round);
    }
    if (ended.length === 0) return;
  }
}

function* start(
  context: OrchestrationContext,
  { runId, node, upstream }: LoopInput,
  loop: Loop,
  looked: readonly Walking[],
): Generator<Task, void, unknown> {
  const now = context.df.currentUtcDateTime.toISOString();
  const nodes = looked.flatMap(({ number, walk: { given, run } }) => {
    const upstreamOf = upstreamUris(loop.graph, run);
    return advance(loop.graph, run, now).map((planNode) => ({
      node: nodeInRound(node, loop.plan, number, planNode),
      upstream: { ...upstream, ...given, ...upstreamOf(planNode) },
    }));
  });
  if (nodes.length > 0) yield* call(context, startBodyNodes, { runId, owner: node, nodes });
}

/** Tells the nodes of those rounds to stop in which nothing more may start. */
function* stop(
  context: OrchestrationContext,
  { runId, node }: LoopInput,
  loop: Loop,
  state: LoopState,
  looked: readonly Walking[],
): Generator<Task, void, unknown> {
  const whole = loopStopReason(loop, state);
  const byReason = new Map<string, string[]>();
  for (const { number, walk } of whole === undefined ? looked : walkingRounds(state)) {
    const { run } = walk;
    if (whole !== undefined) run.cancelReason ??= whole;
    const reason = stopReason(loop.graph, run);
    if (reason === undefined || run.isStopping === true) continue;
    run.isStopping = true;
    const nodes = runningNodes(run).map((planNode) => nodeInRound(node, loop.plan, number, planNode));
    byReason.set(reason, [...(byReason.get(reason) ?? []), ...nodes]);
  }
  for (const [reason, nodes] of byReason) {
    if (nodes.length > 0) yield* call(context, signalNodes, { runId, nodes, signal: { kind: "cancel", reason } });
  }
}

/** What lost signals may have kept from us; an order to stop may be lost, too, and is given again. */
function* catchUp(
  context: OrchestrationContext,
  { runId, node }: LoopInput,
  loop: Loop,
  state: LoopState,
): Generator<Task, void, unknown> {
  const nodes = walkingRounds(state).flatMap(({ number, walk: { run } }) => {
    delete run.isStopping;
    return runningNodes(run).map((planNode) => nodeInRound(node, loop.plan, number, planNode));
  });
  if (nodes.length === 0) return;
  for (const result of yield* call(context, checkNodes, { runId, nodes })) takeResult(node, loop, state, result);
}

function begun({ startTime, machineTime }: LoopState) {
  return { attempt: 1, refused: [], startTime, ...(machineTime === undefined ? {} : { machineTime }) };
}

type End =
  | { readonly status: "completed"; readonly outputs: Record<string, string> }
  | { readonly status: "failed" | "canceled"; readonly reason: string };

function* conclude(
  context: OrchestrationContext,
  input: LoopInput,
  loop: Loop,
  state: LoopState,
  rules: LoopRules,
): Generator<Task, End, unknown> {
  if (state.cancelReason !== undefined) return { status: "canceled", reason: state.cancelReason };
  if (state.failure !== undefined) return { status: "failed", reason: state.failure.reason };
  if (rules.gather === undefined) return { status: "completed", outputs: state.rounds.at(-1)?.outputs ?? {} };
  const gathered = yield* rules.gather(context, input, loop, state);
  return "reason" in gathered ? { status: "failed", ...gathered } : { status: "completed", ...gathered };
}

function report(
  context: OrchestrationContext,
  { runId, node, owner, recipe }: LoopInput,
  state: LoopState,
  end: End,
  loop?: Loop,
): Generator<Task, NodeResult, unknown> {
  const ended = {
    ...begun(state),
    node,
    endTime: context.df.currentUtcDateTime.toISOString(),
    ...(loop === undefined ? {} : { loop: toLoopSummary(loop, state) }),
  };
  const result: NodeResult =
    end.status === "completed"
      ? { ...ended, status: end.status, outputs: end.outputs }
      : { ...ended, status: end.status, failure: { reason: end.reason } };
  return reportEnd(context, { runId, owner, recipe }, result);
}
