// One node of one run: submits the job, sleeps until something wakes it, asks the job, collects what it wrote, reports.
//
// A wake-up is an event (the end marker's blob, Azure ML's own run event, a cancel) or the back-stop timer. When the timer wins,
// the history is dropped with `continueAsNew`: the wait that lost would otherwise stay behind and swallow the next event.
import type { OrchestrationContext, Task } from "durable-functions";
import type { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import type { NodeFailure } from "#shared/domain/run.ts";
import { cancelJob, collectOutputs, describeFailure, getJob, reportNode } from "./activities.ts";
import { call } from "./contract.ts";
import { nodeKinds } from "./nodes/nodes.ts";
import { inbox, type NodeSignal } from "./signals.ts";

export interface NodeInput {
  readonly runId: string;
  readonly node: string;
  readonly kind: keyof typeof nodeKinds;
  readonly component: string;
  /** Sizes to try in order; empty lets the service choose. */
  readonly instanceTypes: readonly string[];
  readonly timeoutSeconds?: number;
  /** `node.output` -> URI. */
  readonly upstream: Record<string, string>;
  /** Set when this is one trial of a sweep. */
  readonly trial?: TrialInput;
  /** Set from the second generation on. */
  readonly waiting?: Waiting;
}

export interface TrialInput {
  /** The sweep's node in the plan. */
  readonly planNode: string;
  /** Values of the search space, which override the trial's inputs of the same names. */
  readonly values: Record<string, string>;
}

interface Waiting {
  readonly progress: NodeProgress & { readonly jobName: string; readonly jobStatus: string };
  /** ISO 8601; none when the node has no time limit. */
  readonly deadline?: string;
  /** How many back-stop timers have fired. */
  readonly polls: number;
  /** Why the job is being cancelled, once it is. */
  readonly cancelReason?: string;
  readonly isTimeout?: boolean;
}

/** Seconds between an event that announces the end and giving up on seeing it at once. */
const settleSeconds = 5;

/** Seconds to the next back-stop poll: soon at first, every ten minutes in a long job. */
function backstopSeconds(polls: number): number {
  return Math.min(600, 10 * 2 ** Math.min(polls, 6));
}

export function* runNode(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  const input = context.df.getInput<NodeInput>();
  const first = input.waiting;
  try {
    const waiting = first ?? (yield* submit(context, input));
    if ("result" in waiting) return yield* report(context, input, waiting.result);
    return yield* waitForEnd(context, input, waiting, first !== undefined);
  } catch (error) {
    // An activity gave up for good: the run must hear of it, or it would wait for ever.
    const progress = first?.progress ?? initialProgress(context);
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return yield* report(context, input, {
      ...ended(context, input, progress),
      status: "failed",
      failure: { reason },
    });
  }
}

function initialProgress(context: OrchestrationContext): NodeProgress {
  return { attempt: 1, refused: [], startTime: context.df.currentUtcDateTime.toISOString() };
}

function ended(context: OrchestrationContext, input: NodeInput, progress: NodeProgress) {
  return { ...progress, node: input.node, endTime: context.df.currentUtcDateTime.toISOString() };
}

/** Asks for each size in turn until the service gives one. */
function* submit(
  context: OrchestrationContext,
  input: NodeInput,
): Generator<Task, Waiting | { result: NodeResult }, unknown> {
  const activity = nodeKinds[input.kind].submitActivity(input.component);
  const progress = initialProgress(context);
  const sizes: readonly (string | undefined)[] = input.instanceTypes.length === 0 ? [undefined] : input.instanceTypes;
  for (const [index, instanceType] of sizes.entries()) {
    // Each size is an attempt of its own: the service remembers a refused job under its name.
    const attempt = index + 1;
    const answer = yield* call(context, activity, {
      runId: input.runId,
      node: input.node,
      attempt,
      upstream: input.upstream,
      ...(input.trial === undefined ? {} : { trial: input.trial }),
      ...(instanceType === undefined ? {} : { instanceType }),
    });
    progress.attempt = attempt;
    if (answer.kind === "submitted") {
      const { jobName, jobStatus } = answer;
      const submitted = {
        ...progress,
        jobName,
        jobStatus,
        ...(instanceType === undefined ? {} : { instanceType }),
      };
      const { timeoutSeconds } = input;
      if (timeoutSeconds === undefined) return { progress: submitted, polls: 0 };
      const deadline = new Date(context.df.currentUtcDateTime.getTime() + timeoutSeconds * 1000).toISOString();
      return { progress: submitted, polls: 0, deadline };
    }
    if (answer.kind === "rejected") {
      return {
        result: {
          ...ended(context, input, progress),
          status: "failed",
          failure: { reason: answer.reason },
        },
      };
    }
    progress.refused.push({ instanceType: instanceType ?? "any size", reason: answer.reason });
  }
  const refusals = progress.refused.map(({ instanceType, reason }) => `${instanceType}: ${reason}`).join("; ");
  const reason = `no size that this node asks for could be had (${refusals})`;
  return { result: { ...ended(context, input, progress), status: "failed", failure: { reason } } };
}

function* waitForEnd(
  context: OrchestrationContext,
  input: NodeInput,
  begun: Waiting,
  isWokenByTimer: boolean,
): Generator<Task, NodeResult | undefined, unknown> {
  let waiting = begun;
  let isAnnounced = false;
  let isDue = isWokenByTimer;
  for (;;) {
    const { jobName } = waiting.progress;
    if (isDue) {
      const job = yield* call(context, getJob, {
        jobName,
        settleSeconds: isAnnounced ? settleSeconds : 0,
      });
      waiting = { ...waiting, progress: { ...waiting.progress, jobStatus: job.jobStatus } };
      if (job.outcome !== undefined)
        return yield* report(context, input, yield* conclude(context, input, waiting, job.outcome));
      if (hasPassed(context, waiting.deadline) && waiting.cancelReason === undefined) {
        yield* call(context, cancelJob, { jobName });
        waiting = {
          ...waiting,
          isTimeout: true,
          cancelReason: `it ran longer than its limit of ${input.timeoutSeconds} s`,
          polls: 0,
        };
      }
    }
    context.df.setCustomStatus(waiting.progress);
    const timer = context.df.createTimer(nextPoll(context, waiting, isAnnounced));
    const wait = context.df.waitForExternalEvent(inbox);
    const winner = yield context.df.Task.any([wait, timer]);
    if (winner === timer) {
      context.df.continueAsNew({ ...input, waiting: { ...waiting, polls: waiting.polls + 1 } });
      return undefined;
    }
    timer.cancel();
    const signal = wait.result as NodeSignal;
    if (signal.kind === "cancel" && waiting.cancelReason === undefined) {
      yield* call(context, cancelJob, { jobName });
      waiting = { ...waiting, cancelReason: signal.reason, polls: 0 };
    }
    isAnnounced = true;
    isDue = true;
  }
}

function hasPassed(context: OrchestrationContext, deadline: string | undefined): boolean {
  return deadline !== undefined && context.df.currentUtcDateTime.getTime() >= Date.parse(deadline);
}

function nextPoll(context: OrchestrationContext, waiting: Waiting, isAnnounced: boolean): Date {
  const now = context.df.currentUtcDateTime.getTime();
  // Announced but not seen, or being cancelled: the end is near, ask again soon.
  const isNear = isAnnounced || waiting.cancelReason !== undefined;
  const backstop = now + 1000 * (isNear ? Math.min(5, backstopSeconds(waiting.polls)) : backstopSeconds(waiting.polls));
  const deadline =
    waiting.deadline === undefined || waiting.cancelReason !== undefined ? Infinity : Date.parse(waiting.deadline);
  return new Date(Math.max(now + 1, Math.min(backstop, deadline)));
}

function* conclude(
  context: OrchestrationContext,
  input: NodeInput,
  waiting: Waiting,
  outcome: "completed" | "failed" | "canceled",
): Generator<Task, NodeResult, unknown> {
  const { attempt, jobName, jobStatus } = waiting.progress;
  const planNode = input.trial?.planNode ?? input.node;
  const place = { runId: input.runId, node: input.node, planNode, attempt, jobName };
  if (outcome === "completed") {
    const { outputs } = yield* call(context, collectOutputs, place);
    return { ...ended(context, input, waiting.progress), status: "completed", outputs };
  }
  if (outcome === "canceled" && waiting.cancelReason !== undefined && waiting.isTimeout !== true) {
    return {
      ...ended(context, input, waiting.progress),
      status: "canceled",
      failure: { reason: waiting.cancelReason },
    };
  }
  const described = yield* call(context, describeFailure, { ...place, jobStatus });
  const failure: NodeFailure =
    waiting.cancelReason === undefined ? described : { ...described, reason: waiting.cancelReason };
  return { ...ended(context, input, waiting.progress), status: "failed", failure };
}

function* report(
  context: OrchestrationContext,
  input: NodeInput,
  result: NodeResult,
): Generator<Task, NodeResult, unknown> {
  // A trial's result goes to the sweep that started it.
  const to = input.trial === undefined ? {} : { sweep: input.trial.planNode };
  yield* call(context, reportNode, { runId: input.runId, result, ...to });
  return result;
}
