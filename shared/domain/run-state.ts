// What the run's orchestration decides from: the status of every node and the URIs made so far. Pure: given a graph, a state
// and a node's result, it says which nodes may start now, which will never run, and how the run ends.
import type { NodeResult, ReusedResult } from "./node-result.ts";
import type { PlanGraph } from "./plan.ts";
import type { NodeStatus, RunStatus } from "./run.ts";
import { nodeStatusFacts } from "./run.ts";

export interface NodeState {
  status: NodeStatus;
  attempt: number;
  startTime?: string;
  endTime?: string;
}

export interface RunState {
  /** In plan order. */
  readonly nodes: Record<string, NodeState>;
  /** `node.output` -> URI. */
  readonly uris: Record<string, string>;
  /** The first node that failed, and why; without a node, the run's own time was over. */
  failure?: { node?: string; reason: string };
  cancelReason?: string;
  isTimeout?: boolean;
  /** What runs has been told to stop. */
  isStopping?: boolean;
  /** Whether the run has one of the slots that limits leave. */
  hasSlot?: boolean;
  /** What the run waits for before it starts. */
  waitsFor?: string;
}

export function initialRunState(graph: PlanGraph): RunState {
  return {
    nodes: Object.fromEntries(graph.nodes.map((node) => [node.name, { status: "waiting" as const, attempt: 0 }])),
    uris: {},
  };
}

/** Whether new nodes may still start. */
function isOpen(graph: PlanGraph, state: RunState): boolean {
  return stopReason(graph, state) === undefined;
}

/** Why nothing more may start and what runs must stop, or undefined while the run goes on. */
export function stopReason(graph: PlanGraph, { cancelReason, isTimeout, failure }: RunState): string | undefined {
  if (cancelReason !== undefined) return cancelReason;
  if (isTimeout === true) return `the run took longer than its limit of ${graph.timeoutSeconds} s`;
  return failure === undefined || graph.continueOnStepFailure ? undefined : `node ${failure.node ?? ""} failed`;
}

/**
 * Takes up a node's result. A second result for the same node changes nothing.
 *
 * @returns whether the state changed
 */
export function applyResult(state: RunState, result: NodeResult | ReusedResult): boolean {
  const node = state.nodes[result.node];
  if (node === undefined || nodeStatusFacts[node.status].isTerminal) return false;
  state.nodes[result.node] = {
    status: result.status,
    attempt: result.attempt,
    startTime: result.startTime,
    endTime: result.endTime,
  };
  if (result.status === "completed" || result.status === "reused") {
    for (const [output, uri] of Object.entries(result.outputs)) state.uris[`${result.node}.${output}`] = uri;
  }
  if (result.status === "failed") state.failure ??= { node: result.node, reason: result.failure.reason };
  return true;
}

/**
 * Moves on as far as the state allows: skips or cancels what can no longer run.
 *
 * @returns names of the nodes to start now, marked running
 */
export function advance(graph: PlanGraph, state: RunState, now: string): string[] {
  const ready: string[] = [];
  for (const { name, dependsOn, optionalDependsOn = [] } of graph.nodes) {
    const node = state.nodes[name];
    if (node?.status !== "waiting") continue;
    if (!isOpen(graph, state)) {
      node.status = state.cancelReason === undefined ? "skipped" : "canceled";
      continue;
    }
    const facts = (upstream: string) => nodeStatusFacts[state.nodes[upstream]?.status ?? "waiting"];
    if (
      dependsOn.some(
        (upstream) => facts(upstream).isTerminal && !facts(upstream).isSuccess && !optionalDependsOn.includes(upstream),
      )
    ) {
      node.status = "skipped";
      continue;
    }
    if (dependsOn.every((upstream) => facts(upstream).isTerminal)) {
      node.status = "running";
      node.attempt = 1;
      node.startTime = now;
      ready.push(name);
    }
  }
  return ready;
}

export function runningNodes(state: RunState): string[] {
  return Object.entries(state.nodes).flatMap(([name, node]) =>
    nodeStatusFacts[node.status].isTerminal || node.status === "waiting" ? [] : [name],
  );
}

/** URIs of the outputs that `node` may read: those of the nodes it depends on. */
export function upstreamUris(graph: PlanGraph, state: RunState, node: string): Record<string, string> {
  const dependsOn = new Set(graph.nodes.find(({ name }) => name === node)?.dependsOn);
  return Object.fromEntries(
    Object.entries(state.uris).filter(([key]) => dependsOn.has(key.slice(0, key.lastIndexOf(".")))),
  );
}

/** How a run with no running node left has ended. */
export function runOutcome(state: RunState): Extract<RunStatus, "completed" | "failed" | "canceled"> {
  if (state.cancelReason !== undefined) return "canceled";
  if (state.failure !== undefined) return "failed";
  return Object.values(state.nodes).some(({ status }) => status === "canceled") ? "canceled" : "completed";
}
