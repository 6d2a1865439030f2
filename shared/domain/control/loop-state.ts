// What a loop's orchestration decides from: its rounds, each of which walks the body as a run walks its graph.
import { addTime, type MachineTime } from "../cost/machine-time.ts";
import type { NodeResult } from "../node-result.ts";
import { roundName } from "../plan-node-of.ts";
import type { PlanBody, PlanGraph } from "../plan.ts";
import { applyResult, initialRunState, type RunState, runOutcome } from "../run-state.ts";
import type { Item, LoopPlan } from "./loop-plan.ts";
import type { LoopSummary, Round } from "./loop-summary.ts";

/** A loop as its orchestration reads it. */
export interface Loop {
  /** Name of the plan's node: the body's nodes read what changes as outputs of it. */
  readonly planNode: string;
  readonly plan: LoopPlan;
  /** The body; names are those of the plan. */
  readonly graph: PlanGraph;
  readonly outputs: PlanBody["outputs"];
  /** `planNode.input` -> URI, for the first round of a `do_while`, or for each item of a `parallel_for`. */
  readonly items: readonly Item[];
}

export interface RoundState extends Round {
  /** Until it has ended. */
  walk?: { readonly given: Item; readonly run: RunState };
  /** Once it has completed: output of the body -> URI. */
  outputs?: Record<string, string>;
}

export interface LoopState {
  /** ISO 8601. */
  readonly startTime: string;
  readonly rounds: RoundState[];
  failure?: { reason: string };
  cancelReason?: string;
  /** Of all nodes of all rounds that have ended. */
  machineTime?: MachineTime;
  /** What the last round said of going on. */
  goesOn?: boolean;
}

export type Walking = RoundState & Required<Pick<RoundState, "walk">>;

export function beginRound({ graph }: Loop, state: LoopState, given: Item): Walking {
  const round: Walking = {
    number: state.rounds.length + 1,
    status: "running",
    walk: { given, run: initialRunState(graph) },
  };
  state.rounds.push(round);
  return round;
}

export function walkingRounds({ rounds }: LoopState): Walking[] {
  return rounds.filter(isWalking);
}

function isWalking(round: RoundState | undefined): round is Walking {
  return round?.walk !== undefined;
}

/** The name that a node of the body has in a round. @param loop the loop's name in the run */
export function nodeInRound(loop: string, { kind, body }: LoopPlan, number: number, planNode: string): string {
  return roundName(loop, kind, number) + planNode.slice(body.length);
}

/**
 * Takes up the result of a node of some round. A second result for the same node changes nothing.
 *
 * @returns the round that it has changed
 */
export function takeResult(loop: string, { plan }: Loop, state: LoopState, result: NodeResult): Walking | undefined {
  // A loop may have thousands of rounds: the number is read, not searched for.
  const number = Number.parseInt(result.node.slice(roundName(loop, plan.kind, 0).length - 1), 10);
  const round = state.rounds[number - 1];
  if (!isWalking(round)) return undefined;
  const name = roundName(loop, plan.kind, number);
  if (result.node !== name && !result.node.startsWith(`${name}.`)) return undefined;
  if (!applyResult(round.walk.run, { ...result, node: plan.body + result.node.slice(name.length) })) return undefined;
  const machineTime = addTime(state.machineTime, result.machineTime);
  if (machineTime !== undefined) state.machineTime = machineTime;
  return round;
}

/** Ends a round in which nothing runs any more. */
export function endRound({ plan, outputs }: Loop, state: LoopState, round: Walking): void {
  const { run } = round.walk;
  round.status = runOutcome(run);
  const name = roundName("", plan.kind, round.number).slice(1).replace("_", " ");
  if (round.status === "completed") {
    const made = Object.entries(outputs).flatMap(([output, from]) => {
      const uri = run.uris[`${from.node}.${from.output}`];
      return uri === undefined ? [] : [[output, uri] as const];
    });
    round.outputs = Object.fromEntries(made);
  }
  if (round.status === "failed") {
    const { node = plan.body, reason = "it failed" } = run.failure ?? {};
    const which = node === plan.body ? "" : `node ${node.slice(plan.body.length + 1)}: `;
    state.failure ??= { reason: `${name} failed: ${which}${reason}` };
  }
  if (round.status === "canceled" && run.cancelReason === undefined) state.cancelReason ??= `${name} was canceled`;
  const walking: RoundState = round;
  delete walking.walk;
}

/** Why no round may begin any more and those that run must stop; undefined while the loop goes on. */
export function loopStopReason({ graph }: Loop, { cancelReason, failure }: LoopState): string | undefined {
  return cancelReason ?? (graph.continueOnStepFailure ? undefined : failure?.reason);
}

/** Rounds that are told. */
const toldRounds = 50;

export function toLoopSummary({ plan, items }: Loop, { rounds }: LoopState): LoopSummary {
  return {
    ...(plan.kind === "parallel_for" ? { total: items.length } : {}),
    begun: rounds.length,
    completed: rounds.filter(({ status }) => status === "completed").length,
    rounds: rounds.slice(-toldRounds).map(({ number, status }) => ({ number, status })),
  };
}
