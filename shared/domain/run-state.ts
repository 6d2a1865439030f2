// What the run's orchestration decides from: the status of every node and the URIs made so far. Pure: given a graph, a state
// and a node's result, it says which nodes may start now, which will never run, and how the run ends.
import { addTime, type MachineTime } from "./cost/machine-time.ts";
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
  /** How `if_else` nodes came out. */
  decisions?: Record<string, boolean>;
  /** The first node that failed, and why; without a node, the run's own time was over. */
  failure?: { node?: string; reason: string };
  cancelReason?: string;
  isTimeout?: boolean;
  /** What runs has been told to stop. */
  isStopping?: boolean;
  /** Of all nodes that have ended. */
  machineTime?: MachineTime;
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
  const machineTime = result.status === "reused" ? undefined : addTime(state.machineTime, result.machineTime);
  if (machineTime !== undefined) state.machineTime = machineTime;
  if (result.taken !== undefined) {
    state.decisions ??= {};
    state.decisions[result.node] = result.taken === "true_block";
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
  const isStopped = !isOpen(graph, state);
  let last: GraphNode | undefined;
  const move = (node: GraphNode, nodeState: NodeState, next: NextStatus) => {
    nodeState.status = next;
    if (next !== "running") return;
    nodeState.attempt = 1;
    nodeState.startTime = now;
    ready.push(node.name);
  };
  for (const node of graph.nodes) {
    const nodeState = state.nodes[node.name];
    if (nodeState?.status !== "waiting") continue;
    if (node.name === graph.onFinalize) last = node;
    else move(node, nodeState, nextStatus(node, state, isStopped));
  }
  // What the others come to in this very step decides on the last.
  const lastState = last === undefined ? undefined : state.nodes[last.name];
  if (last !== undefined && lastState !== undefined) move(last, lastState, lastStatus(last, state));
  return ready;
}

type GraphNode = PlanGraph["nodes"][number];
type NextStatus = Extract<NodeStatus, "waiting" | "running" | "skipped" | "canceled">;

const factsOf = (state: RunState, node: string) => nodeStatusFacts[state.nodes[node]?.status ?? "waiting"];

function nextStatus(node: GraphNode, state: RunState, isStopped: boolean): NextStatus {
  if (isStopped) return state.cancelReason === undefined ? "skipped" : "canceled";
  const { dependsOn, optionalDependsOn, when } = node;
  const isMissing = (upstream: string) => {
    const { isTerminal, isSuccess } = factsOf(state, upstream);
    return isTerminal && !isSuccess && optionalDependsOn?.includes(upstream) !== true;
  };
  if (dependsOn.some(isMissing)) return "skipped";
  const isOut = (condition: { node: string; is: boolean }) => {
    const came = state.decisions?.[condition.node];
    return came !== undefined && came !== condition.is;
  };
  if (when?.some(isOut) === true) return "skipped";
  return dependsOn.every((upstream) => factsOf(state, upstream).isTerminal) ? "running" : "waiting";
}

/** The node that runs after all others runs whatever became of them, unless the run was stopped before it began. */
function lastStatus({ dependsOn }: GraphNode, state: RunState): NextStatus {
  if (!dependsOn.every((upstream) => factsOf(state, upstream).isTerminal)) return "waiting";
  return dependsOn.every(
    (upstream) => state.nodes[upstream]?.status === "canceled" && state.nodes[upstream].attempt === 0,
  )
    ? "canceled"
    : "running";
}

export function runningNodes(state: RunState): string[] {
  const running: string[] = [];
  // Asked at every signal that is replayed.
  for (const name in state.nodes) {
    const status = state.nodes[name]?.status ?? "waiting";
    if (status !== "waiting" && !nodeStatusFacts[status].isTerminal) running.push(name);
  }
  return running;
}

/** Whether the node that runs after all others does so now. */
export function isFinalizing({ onFinalize }: PlanGraph, state: RunState): boolean {
  return onFinalize !== undefined && state.nodes[onFinalize]?.status === "running";
}

/**
 * URIs of the outputs that a node may read: those of the nodes it depends on. The one that comes after all others reads none.
 *
 * @returns what to ask for one node after the other, also when `state` has moved on: it looks at each URI once
 */
export function upstreamUris(graph: PlanGraph, state: RunState): (node: string) => Record<string, string> {
  let dependsOn: ReadonlyMap<string, readonly string[]> | undefined;
  const made = new Map<string, string[]>();
  let seen = 0;
  return (node) => {
    if (node === graph.onFinalize) return {};
    dependsOn ??= new Map(graph.nodes.map((one) => [one.name, readBy(one)]));
    const keys = Object.keys(state.uris);
    for (const key of keys.slice(seen)) {
      const upstream = key.slice(0, key.lastIndexOf("."));
      const known = made.get(upstream);
      if (known === undefined) made.set(upstream, [key]);
      else known.push(key);
    }
    seen = keys.length;
    const read = (dependsOn.get(node) ?? []).flatMap((upstream) => made.get(upstream) ?? []);
    return Object.fromEntries(read.map((key) => [key, state.uris[key] ?? ""]));
  };
}

/** The node that decides on a model waits for all others and reads but few. */
function readBy({ kind, dependsOn, optionalDependsOn = [] }: GraphNode): readonly string[] {
  if (kind !== "promote") return dependsOn;
  const unread = new Set(optionalDependsOn);
  return dependsOn.filter((name) => !unread.has(name));
}

/** How a run with no running node left has ended. */
export function runOutcome(state: RunState): Extract<RunStatus, "completed" | "failed" | "canceled"> {
  if (state.cancelReason !== undefined) return "canceled";
  if (state.failure !== undefined) return "failed";
  return Object.values(state.nodes).some(({ status }) => status === "canceled") ? "canceled" : "completed";
}
