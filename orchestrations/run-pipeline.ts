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
  type RunState,
  runningNodes,
  runOutcome,
  upstreamOf,
} from "#shared/domain/run-state.ts";
import type { RunStatus } from "#shared/domain/run.ts";
import { checkNodes, readGraph, rememberRun, signalNodes, startNodes } from "./activities.ts";
import { call } from "./contract.ts";
import { inbox, type RunSignal } from "./signals.ts";

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
  readonly failure?: { readonly node: string; readonly reason: string };
  readonly uris: Record<string, string>;
}

/** Signals one generation takes before the history is dropped. */
const signalsPerGeneration = 200;

export function* runPipeline(context: OrchestrationContext): Generator<Task, RunOutput | undefined, unknown> {
  const input = context.df.getInput<RunInput>();
  const graph = yield* call(context, readGraph, { runId: input.runId });
  const state = input.state ?? initialRunState(graph);
  const since = Date.parse(input.createdTime);
  const publish = () => context.df.setCustomStatus(toRunProgress(state, since));

  if (input.state !== undefined) yield* catchUp(context, input.runId, state);
  for (let taken = 0; ; taken += 1) {
    yield* startReadyNodes(context, input.runId, graph, state);
    publish();
    if (runningNodes(state).length === 0) break;
    if (taken >= signalsPerGeneration) {
      context.df.continueAsNew({ ...input, state });
      return undefined;
    }
    const signal = (yield context.df.waitForExternalEvent(inbox)) as RunSignal;
    if (signal.kind === "check") yield* catchUp(context, input.runId, state);
    if (signal.kind === "node-ended") {
      const isFirstFailure = state.failure === undefined && signal.result.status === "failed";
      applyResult(state, signal.result);
      if (isFirstFailure && !graph.continueOnStepFailure) {
        yield* cancelNodes(context, input.runId, state, `node ${signal.result.node} failed`);
      }
    }
    if (signal.kind === "cancel" && state.cancelReason === undefined) {
      state.cancelReason = signal.reason;
      yield* cancelNodes(context, input.runId, state, signal.reason);
    }
  }
  yield* remember(context, input.runId, state);
  return {
    status: runOutcome(state),
    ...(state.failure === undefined ? {} : { failure: state.failure }),
    uris: state.uris,
  };
}

function* startReadyNodes(
  context: OrchestrationContext,
  runId: string,
  graph: PlanGraph,
  state: RunState,
): Generator<Task, void, unknown> {
  for (;;) {
    const ready = advance(graph, state, context.df.currentUtcDateTime.toISOString());
    if (ready.length === 0) return;
    const nodes = ready.map((node) => ({ node, ...upstreamOf(graph, state, node) }));
    const { reused } = yield* call(context, startNodes, { runId, nodes });
    for (const result of reused) applyResult(state, result);
  }
}

/** The run has its results; not to find them again later is no reason to fail. */
function* remember(context: OrchestrationContext, runId: string, state: RunState): Generator<Task, void, unknown> {
  if (Object.keys(state.keys).length === 0) return;
  try {
    yield* call(context, rememberRun, { runId, keys: state.keys });
  } catch {
    // The activity has logged why.
  }
}

function* cancelNodes(
  context: OrchestrationContext,
  runId: string,
  state: RunState,
  reason: string,
): Generator<Task, void, unknown> {
  const nodes = runningNodes(state);
  if (nodes.length > 0) yield* call(context, signalNodes, { runId, nodes, signal: { kind: "cancel", reason } });
}

/** Reads the results that a lost signal, or the turn of a generation, may have kept from us. */
function* catchUp(context: OrchestrationContext, runId: string, state: RunState): Generator<Task, void, unknown> {
  const nodes = runningNodes(state);
  if (nodes.length === 0) return;
  for (const result of yield* call(context, checkNodes, { runId, nodes })) applyResult(state, result);
}
