// Walks the graph of one run: starts every node whose inputs are there, waits for a signal, goes on.
//
// It yields one thing at a time and never a `Task.any` over work already scheduled: the JavaScript protocol would schedule such
// work twice (docs/decisions/0003-nodes-are-instances.md). So each node is an instance of its own, started by an activity that
// may safely run twice, and reports its end through the inbox.
import type { OrchestrationContext, Task } from "durable-functions";
import type { PlanGraph } from "#shared/domain/plan.ts";
import { toRunProgress } from "#shared/domain/run-progress.ts";
import {
  advance,
  applyResult,
  initialRunState,
  isFinalizing,
  type RunState,
  runningNodes,
  runOutcome,
  stopReason,
  upstreamUris,
} from "#shared/domain/run-state.ts";
import type { RunStatus } from "#shared/domain/run.ts";
import {
  checkNodes,
  notifyRunEnd,
  readGraph,
  releaseSlot,
  rememberRun,
  signalNodes,
  startNodes,
} from "./activities.ts";
import { awaitRunSlot } from "./await-run-slot.ts";
import { call } from "./contract.ts";
import { inbox, type RunSignal } from "./signals.ts";
import { waitForSignal } from "./wait-for-signal.ts";

export interface RunInput {
  readonly runId: string;
  readonly pipeline: string;
  readonly experimentName: string;
  readonly displayName?: string;
  readonly tags: Record<string, string>;
  readonly nodeCount: number;
  /** ISO 8601. */
  readonly createdTime: string;
  /** Carried from one generation to the next, so that the history stays short. */
  readonly state?: RunState;
}

export interface RunOutput {
  readonly status: Extract<RunStatus, "completed" | "failed" | "canceled">;
  readonly failure?: { readonly node?: string; readonly reason: string };
  readonly uris: Record<string, string>;
}

/** Signals one generation takes at most before the history is dropped. */
const signalsPerGeneration = 200;

export function* runPipeline(context: OrchestrationContext): Generator<Task, RunOutput | undefined, unknown> {
  const input = context.df.getInput<RunInput>();
  const graph = yield* call(context, readGraph, { runId: input.runId });
  const state = input.state ?? initialRunState(graph);
  const since = Date.parse(input.createdTime);
  const deadline = graph.timeoutSeconds === undefined ? undefined : new Date(since + 1000 * graph.timeoutSeconds);
  // Written out once, when the episode ends: a replay passes here at every signal of the generation.
  const publish = () => context.df.setCustomStatus({ toJSON: () => toRunProgress(state, since) });

  const upstreamOf = upstreamUris(graph, state);
  // Until a node's start or end says otherwise, somebody may want to hear of the run.
  const watch = { isWatched: true };
  if (input.state !== undefined) {
    yield* catchUp(context, input.runId, state);
    yield* stop(context, input.runId, graph, state);
  }
  if (graph.isLimited === true && (yield* awaitRunSlot(context, input.runId, state, publish, deadline)) === "due") {
    return endGeneration(context, input, graph, state, deadline);
  }
  for (let taken = 0; ; taken += 1) {
    yield* startReadyNodes(context, input.runId, graph, state, upstreamOf, watch);
    publish();
    const running = runningNodes(state).length;
    if (running === 0) break;
    if (taken >= signalsToTake(graph, running)) return endGeneration(context, input, graph, state, deadline);
    const signal =
      deadline === undefined || state.isTimeout === true
        ? ((yield context.df.waitForExternalEvent(inbox)) as RunSignal)
        : yield* waitForSignal<RunSignal>(context, deadline);
    if (signal === undefined) return endGeneration(context, input, graph, state, deadline);
    if (signal.kind === "check") {
      yield* catchUp(context, input.runId, state);
      // The order to stop may be what was lost.
      delete state.isStopping;
    }
    if (signal.kind === "node-ended") {
      applyResult(state, signal.result);
      watch.isWatched = signal.isWatched === true;
    }
    if (signal.kind === "cancel") {
      state.cancelReason ??= signal.reason;
      if (isFinalizing(graph, state)) yield* cancelNodes(context, input.runId, runningNodes(state), signal.reason);
    }
    yield* stop(context, input.runId, graph, state);
  }
  if (graph.isLimited === true) yield* call(context, releaseSlot, { runId: input.runId });
  yield* remember(context, input.runId, state);
  const output: RunOutput = {
    status: runOutcome(state),
    ...(state.failure === undefined ? {} : { failure: state.failure }),
    uris: state.uris,
  };
  if (watch.isWatched) yield* notify(context, input.runId, output);
  return output;
}

/** A long history is slow to replay, and a turn asks for every node that runs: neither may grow with the other's square. */
function signalsToTake({ turnAfter }: PlanGraph, running: number): number {
  if (turnAfter === undefined) return signalsPerGeneration;
  return Math.min(signalsPerGeneration, turnAfter + running);
}

function* startReadyNodes(
  context: OrchestrationContext,
  runId: string,
  graph: PlanGraph,
  state: RunState,
  upstreamOf: (node: string) => Record<string, string>,
  watch: { isWatched: boolean },
): Generator<Task, void, unknown> {
  for (;;) {
    const ready = advance(graph, state, context.df.currentUtcDateTime.toISOString());
    if (ready.length === 0) return;
    const nodes = ready.map((node) => ({ node, upstream: upstreamOf(node) }));
    const { reused, isWatched } = yield* call(context, startNodes, { runId, nodes });
    watch.isWatched = isWatched === true;
    for (const result of reused) applyResult(state, result);
  }
}

/** Not to be able to tell of the end is no reason not to end. */
function* notify(context: OrchestrationContext, runId: string, output: RunOutput): Generator<Task, void, unknown> {
  const { status, failure } = output;
  const about = { runId, status, time: context.df.currentUtcDateTime.toISOString() };
  try {
    yield* call(context, notifyRunEnd, { ...about, ...(failure === undefined ? {} : { failure }) });
  } catch {
    // The activity has logged why.
  }
}

/** The run has its results; not to find them again later is no reason to fail. */
function* remember(context: OrchestrationContext, runId: string, state: RunState): Generator<Task, void, unknown> {
  const nodes = Object.entries(state.nodes).flatMap(([name, { status }]) => (status === "completed" ? [name] : []));
  if (nodes.length === 0) return;
  try {
    yield* call(context, rememberRun, { runId, nodes });
  } catch {
    // The activity has logged why.
  }
}

/** Drops the history, and takes note when the run's time is over. */
function endGeneration(
  context: OrchestrationContext,
  input: RunInput,
  graph: PlanGraph,
  state: RunState,
  deadline: Date | undefined,
): undefined {
  if (deadline !== undefined && context.df.currentUtcDateTime >= deadline && state.isTimeout !== true) {
    state.isTimeout = true;
    state.failure ??= { reason: `the run took longer than its limit of ${graph.timeoutSeconds} s` };
  }
  context.df.continueAsNew({ ...input, state });
  return undefined;
}

/** Once nothing more may start, tells what still runs to stop. */
function* stop(
  context: OrchestrationContext,
  runId: string,
  graph: PlanGraph,
  state: RunState,
): Generator<Task, void, unknown> {
  const reason = stopReason(graph, state);
  if (reason === undefined || state.isStopping === true) return;
  const nodes = runningNodes(state);
  // The node that runs after all others is not stopped by what ended them.
  if (nodes.length === 0 || isFinalizing(graph, state)) return;
  yield* cancelNodes(context, runId, nodes, reason);
  state.isStopping = true;
}

function* cancelNodes(
  context: OrchestrationContext,
  runId: string,
  nodes: string[],
  reason: string,
): Generator<Task, void, unknown> {
  yield* call(context, signalNodes, { runId, nodes, signal: { kind: "cancel", reason } });
}

/** Reads the results that a lost signal, or the turn of a generation, may have kept from us. */
function* catchUp(context: OrchestrationContext, runId: string, state: RunState): Generator<Task, void, unknown> {
  const nodes = runningNodes(state);
  if (nodes.length === 0) return;
  for (const result of yield* call(context, checkNodes, { runId, nodes })) applyResult(state, result);
}
