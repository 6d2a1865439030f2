// Decides whether the run's model becomes a registered one: has the rules judged, the champion scored where that takes a job, waits
// for somebody to agree where that is asked for, and has the model registered. A model that does not pass is no failure.
import type { OrchestrationContext, Task } from "durable-functions";
import { addTime, type MachineTime } from "#shared/domain/cost/machine-time.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { ApprovalAnswer, Promotion } from "#shared/domain/promotion/promotion.ts";
import {
  checkNodes,
  judgeModel,
  readApproval,
  registerModel,
  releaseSlot,
  requestApproval,
  signalNodes,
  startChampions,
} from "./activities.ts";
import { call } from "./contract.ts";
import { reportEnd } from "./report-end.ts";
import type { NodeInput } from "./run-node.ts";
import type { NodeSignal, RunSignal } from "./signals.ts";
import { waitForSignal } from "./wait-for-signal.ts";

export interface PromoteInput extends NodeInput {
  /** Absent when nobody has to agree. */
  readonly approvalSeconds?: number;
  /** The run has one of the slots that limits leave. */
  readonly holdsSlot?: boolean;
  /** Set from the second generation on. */
  readonly state?: PromoteState;
}

interface PromoteState {
  /** ISO 8601, as all times here. */
  readonly startTime: string;
  /** Nodes that score the champion, of which nothing has been heard yet. */
  scoring: string[];
  /** Since when an answer is waited for. */
  requestedTime?: string;
  answer?: ApprovalAnswer;
  cancelReason?: string;
  /** As it was judged last. */
  promotion?: Promotion;
  /** Of all nodes that have scored a champion. */
  machineTime?: MachineTime;
}

type Signal = NodeSignal | RunSignal;

/** Seconds between comparisons with the nodes' own instances when nothing is heard of them. */
const checkSeconds = 600;
/** Seconds after which an answer whose signal was lost is found; far below what the longest timer of Durable may be. */
const lookSeconds = 21_600;
/** How often another champion may come in between. */
const mostRounds = 50;

export function* runPromote(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  const input = context.df.getInput<PromoteInput>();
  const state: PromoteState = input.state ?? { startTime: now(context), scoring: [] };
  try {
    for (let round = 0; round < mostRounds; round += 1) {
      const judged = yield* judge(context, input, state);
      if (judged === "next-generation") return nextGeneration(context, input, state);
      state.promotion = judged.promotion;
      if (state.cancelReason !== undefined)
        return yield* reportEnd(context, { runId: input.runId }, canceled(context, input, state));
      const { promotion, isPassed } = judged;
      if (!isPassed) return yield* conclude(context, input, state, { ...promotion, outcome: "not-promoted" });
      const isChampion = promotion.outcome === "already-promoted";
      if (!isChampion && input.approvalSeconds !== undefined) {
        const asked = yield* ask(context, input, state, input.approvalSeconds, promotion);
        if (asked === "next-generation") return nextGeneration(context, input, state);
        if (state.cancelReason !== undefined)
          return yield* reportEnd(context, { runId: input.runId }, canceled(context, input, state));
        if (state.answer?.decision !== "approved")
          return yield* conclude(context, input, state, {
            ...promotion,
            outcome: "not-promoted",
            reason: refusalOf(state.answer, input.approvalSeconds),
          });
      }
      const told = withApproval(promotion, input, state);
      const { runId, node, upstream } = input;
      const { compared } = judged;
      const done = yield* call(context, registerModel, {
        runId,
        node,
        upstream,
        promotion: told,
        ...(compared === undefined ? {} : { compared }),
      });
      if (done.kind === "refused") {
        const reason = `the workspace does not take the model: ${done.reason}`;
        return yield* reportEnd(context, { runId: input.runId }, failed(context, input, state, reason));
      }
      if (done.kind !== "moved")
        return yield* conclude(context, input, state, { ...told, outcome: done.kind, version: done.version });
    }
    const reason = `${mostRounds} other models became the champion while this one was decided on`;
    return yield* reportEnd(context, { runId: input.runId }, failed(context, input, state, reason));
  } catch (error) {
    // An activity gave up for good: the run must hear of it.
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return yield* reportEnd(context, { runId: input.runId }, failed(context, input, state, reason));
  }
}

type Judged = Extract<ReturnType<typeof judgeModel.output.parse>, { kind: "judged" }>;

/** Judges, and has the champion scored as often as that needs it. */
function* judge(
  context: OrchestrationContext,
  input: PromoteInput,
  state: PromoteState,
): Generator<Task, Judged | "next-generation", unknown> {
  const { runId, node, upstream } = input;
  if (state.scoring.length > 0 && (yield* awaitScores(context, input, state)) === "next-generation")
    return "next-generation";
  for (;;) {
    const answer = yield* call(context, judgeModel, { runId, node, upstream });
    const isCanceled = state.cancelReason !== undefined;
    if (answer.kind === "judged" || isCanceled)
      return answer.kind === "judged" ? answer : { ...answer, kind: "judged", isPassed: false };
    const version = answer.promotion.champion?.version ?? "";
    context.df.setCustomStatus(
      progressOf(state, answer.promotion, `version ${version} to be scored on this run's data`),
    );
    yield* call(context, startChampions, { runId, node, upstream, nodes: answer.nodes });
    state.scoring = answer.nodes.map((each) => each.node);
    if ((yield* awaitScores(context, input, state)) === "next-generation") return "next-generation";
  }
}

/** Waits until every node that scores the champion has ended, however it has. */
function* awaitScores(
  context: OrchestrationContext,
  { runId, state: before }: PromoteInput,
  state: PromoteState,
): Generator<Task, "done" | "next-generation", unknown> {
  // Only a timer ends a generation: what was told meanwhile may be lost.
  if (before !== undefined) {
    for (const result of yield* call(context, checkNodes, { runId, nodes: state.scoring })) take(state, result);
  }
  while (state.scoring.length > 0) {
    const signal = yield* waitForSignal<Signal>(context, after(context, checkSeconds));
    if (signal === undefined) return "next-generation";
    if (signal.kind === "node-ended") take(state, signal.result);
    if (signal.kind === "cancel" && state.cancelReason === undefined) {
      state.cancelReason = signal.reason;
      yield* call(context, signalNodes, { runId, nodes: state.scoring, signal });
    }
  }
  return "done";
}

function take(state: PromoteState, result: NodeResult): void {
  if (!state.scoring.includes(result.node)) return;
  state.scoring = state.scoring.filter((each) => each !== result.node);
  const machineTime = addTime(state.machineTime, result.machineTime);
  if (machineTime !== undefined) state.machineTime = machineTime;
}

/** Waits for the answer, which may have been there before the question. The first one that is written down counts. */
function* ask(
  context: OrchestrationContext,
  input: PromoteInput,
  state: PromoteState,
  approvalSeconds: number,
  promotion: Promotion,
): Generator<Task, "done" | "next-generation", unknown> {
  const { runId } = input;
  for (;;) {
    const answer = state.answer ?? (yield* call(context, readApproval, { runId }));
    if (answer !== null) {
      state.answer = answer;
      return "done";
    }
    if (state.requestedTime === undefined) {
      state.requestedTime = now(context);
      context.df.setCustomStatus(waiting(state, input, promotion));
      // A run that waits for a person takes no other run's place.
      if (input.holdsSlot === true) yield* call(context, releaseSlot, { runId });
      yield* tell(context, input, state.requestedTime, promotion);
    } else context.df.setCustomStatus(waiting(state, input, promotion));
    const deadline = Date.parse(state.requestedTime) + 1000 * approvalSeconds;
    if (context.df.currentUtcDateTime.getTime() >= deadline) {
      const closing = { decision: "timed-out" as const, time: now(context) };
      state.answer = (yield* call(context, readApproval, { runId, closing })) ?? closing;
      return "done";
    }
    const look = after(context, lookSeconds);
    const signal = yield* waitForSignal<Signal>(context, new Date(Math.min(deadline, look.getTime())));
    if (signal === undefined) return "next-generation";
    if (signal.kind === "cancel") {
      state.cancelReason = signal.reason;
      const closing = { decision: "canceled" as const, comment: signal.reason, time: now(context) };
      state.answer = (yield* call(context, readApproval, { runId, closing })) ?? closing;
      return "done";
    }
    // Any other signal is no more than a reason to look: the answer is what is written down.
  }
}

/** Not to be able to tell of the question is no reason not to wait for the answer. */
function* tell(
  context: OrchestrationContext,
  { runId, node }: PromoteInput,
  time: string,
  { model, stage }: Promotion,
): Generator<Task, void, unknown> {
  try {
    yield* call(context, requestApproval, { runId, node, question: questionOf(model, stage), time });
  } catch {
    // The activity has logged why.
  }
}

const questionOf = (model: string, stage: string) => `approval of model ${model} for ${stage}`;

function refusalOf(answer: ApprovalAnswer | undefined, approvalSeconds: number): string {
  if (answer?.decision !== "rejected") return `nobody approved it within ${inWords(approvalSeconds)}`;
  const by = answer.by === undefined ? "" : ` by ${answer.by}`;
  return `rejected${by}${answer.comment === undefined ? "" : `: ${answer.comment}`}`;
}

function inWords(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([each]) => seconds >= each && seconds % each === 0) ?? [1, "second"];
  return seconds === size ? `1 ${unit}` : `${seconds / size} ${unit}s`;
}

function withApproval(promotion: Promotion, { approvalSeconds }: PromoteInput, state: PromoteState): Promotion {
  const { requestedTime, answer } = state;
  if (approvalSeconds === undefined || (requestedTime === undefined && answer === undefined)) return promotion;
  const asked =
    requestedTime === undefined
      ? {}
      : { requestedTime, deadline: new Date(Date.parse(requestedTime) + 1000 * approvalSeconds).toISOString() };
  return { ...promotion, approval: { ...asked, ...(answer === undefined ? {} : { answer }) } };
}

function waiting(state: PromoteState, input: PromoteInput, promotion: Promotion) {
  const { model, stage } = promotion;
  return progressOf(state, withApproval(promotion, input, state), questionOf(model, stage));
}

function progressOf({ startTime, machineTime }: PromoteState, promotion: Promotion | undefined, waitsFor?: string) {
  return {
    attempt: 1,
    refused: [],
    startTime,
    ...(promotion === undefined ? {} : { promotion }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(machineTime === undefined ? {} : { machineTime }),
  };
}

function nextGeneration(context: OrchestrationContext, input: PromoteInput, state: PromoteState): undefined {
  context.df.continueAsNew({ ...input, state });
  return undefined;
}

function* conclude(
  context: OrchestrationContext,
  input: PromoteInput,
  state: PromoteState,
  promotion: Promotion,
): Generator<Task, NodeResult, unknown> {
  const told = withApproval(promotion, input, state);
  return yield* reportEnd(
    context,
    { runId: input.runId },
    {
      ...ended(context, input, state, told),
      status: "completed",
      outputs: {},
    },
  );
}

function ended(context: OrchestrationContext, { node }: PromoteInput, state: PromoteState, promotion?: Promotion) {
  return { ...progressOf(state, promotion), node, endTime: now(context) };
}

/** What is known of a promotion that never came to its end. */
function unfinished(input: PromoteInput, state: PromoteState, reason: string): Promotion | undefined {
  if (state.promotion === undefined) return undefined;
  return { ...withApproval(state.promotion, input, state), outcome: "not-promoted", reason };
}

function failed(context: OrchestrationContext, input: PromoteInput, state: PromoteState, reason: string): NodeResult {
  const promotion = unfinished(input, state, reason);
  return { ...ended(context, input, state, promotion), status: "failed", failure: { reason } };
}

function canceled(context: OrchestrationContext, input: PromoteInput, state: PromoteState): NodeResult {
  const reason = state.cancelReason ?? "";
  const promotion = unfinished(input, state, reason);
  return { ...ended(context, input, state, promotion), status: "canceled", failure: { reason } };
}

const now = (context: OrchestrationContext) => context.df.currentUtcDateTime.toISOString();
const after = (context: OrchestrationContext, seconds: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + 1000 * seconds);
