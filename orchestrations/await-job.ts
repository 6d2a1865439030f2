// A job in the workspace, from its submission to its end: sleeps until an event or the back-stop timer, asks the job, keeps its
// limits, carries out a cancel, and finds out what became of it.
import type { OrchestrationContext, Task } from "durable-functions";
import { isSuspicious, phaseOf } from "#shared/domain/job-phase.ts";
import { cancelJob, collectOutputs, describeFailure, getJob } from "./activities.ts";
import { call } from "./contract.ts";
import { passedLimit, tightestLimit } from "./job-limits.ts";
import { extendLease, longestPause, meter, settleLease } from "./lease.ts";
import {
  afterFailure,
  canceled,
  hasPassed,
  type JobCancel,
  nodeDeadline,
  type NodeWork,
  now,
  progressOf,
  secondsAfter,
  type Turn,
  type WatchedJob,
} from "./node-work.ts";
import type { NodeInput } from "./run-node.ts";
import type { NodeSignal } from "./signals.ts";
import { giveSlot } from "./submit-node.ts";
import { waitForSignal } from "./wait-for-signal.ts";

/** Seconds between an event that announces the end and giving up on seeing it at once. */
const settleSeconds = 5;
/** Seconds for which a job may be unknown or silent before it counts as lost. */
const lostAfterSeconds = 600;
/** Seconds after which nobody waits any more for a cancel to be confirmed. */
const cancelPatienceSeconds = 1800;
/** Seconds for which the job of a cancelled node may be unknown or silent. */
const neverCameSeconds = 60;
/** Polls at short intervals after a cancel. */
const quickPolls = 24;

/** Seconds to the next back-stop poll: soon at first, every ten minutes in a long job. */
function backstopSeconds(polls: number): number {
  return Math.min(600, 10 * 2 ** Math.min(polls, 6));
}

/** @param isWokenByTimer the generation before ended by its back-stop timer: the job is asked at once */
export function* awaitJob(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  job: WatchedJob,
  isWokenByTimer: boolean,
): Generator<Task, Turn, unknown> {
  let isAnnounced = false;
  let isDue = isWokenByTimer;
  for (;;) {
    if (isDue) {
      const turn = yield* look(context, input, work, job, isAnnounced);
      if (turn !== undefined) return turn;
    }
    context.df.setCustomStatus(progressOf(work));
    const signal = yield* waitForSignal<NodeSignal>(context, nextPoll(context, input, work, job, isAnnounced));
    if (signal === undefined) {
      job.polls += 1;
      return "next-generation";
    }
    if (signal.kind === "slot-free") continue;
    if (signal.kind === "cancel" && job.cancel === undefined) {
      yield* cancel(context, job, { reason: signal.reason, since: now(context) });
    }
    isAnnounced = true;
    isDue = true;
  }
}

function* cancel(context: OrchestrationContext, job: WatchedJob, order: JobCancel): Generator<Task, void, unknown> {
  if (job.cancel === undefined) job.polls = 0;
  job.cancel = order;
  order.isTaken = (yield* call(context, cancelJob, { jobName: job.jobName })).isTaken;
}

/** Asks the job. @returns what follows when it has ended, or has to be taken for ended */
function* look(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  job: WatchedJob,
  isAnnounced: boolean,
): Generator<Task, Turn | undefined, unknown> {
  const { jobName } = job;
  const asked = now(context);
  const answer = yield* call(context, getJob, { jobName, settleSeconds: isAnnounced ? settleSeconds : 0 });
  if (answer.isUnavailable !== true) {
    see(context, job, answer.jobStatus);
    meter(context, input, work, asked, answer.endTime);
  }
  if (answer.outcome !== undefined) {
    yield* giveSlot(context, input, work);
    yield* settleLease(context, input, work, "ended", answer.endTime);
    return yield* conclude(context, input, work, job, answer.outcome);
  }
  if (job.cancel !== undefined) {
    // A job that the workspace does not know after a while never came to be, and one that is silent will not say that it stops.
    const isGone =
      (job.jobStatus === "NotFound" || job.cancel.isTaken === true) &&
      job.suspectSince !== undefined &&
      hasPassed(context, secondsAfter(job.suspectSince, neverCameSeconds));
    if (isGone || hasPassed(context, secondsAfter(job.cancel.since, cancelPatienceSeconds))) {
      yield* giveSlot(context, input, work);
      yield* settleLease(context, input, work, endOfSilent(job));
      return yield* conclude(context, input, work, job, "canceled");
    }
    // The order may have met a job that was not there yet, or a service that was down.
    if ((job.polls > 0 || job.cancel.isTaken !== true) && job.jobStatus !== "CancelRequested")
      yield* cancel(context, job, job.cancel);
    return undefined;
  }
  if (job.suspectSince !== undefined && hasPassed(context, secondsAfter(job.suspectSince, lostAfterSeconds))) {
    // Should it come back, it must not run beside the next attempt; where the order cannot be given, no next attempt could either.
    const { isTaken } = yield* call(context, cancelJob, { jobName });
    if (!isTaken) return undefined;
    yield* giveSlot(context, input, work);
    yield* settleLease(context, input, work, endOfSilent(job));
    const what =
      job.jobStatus === "NotFound" ? "the workspace does not know the job" : `the job has been ${job.jobStatus}`;
    const reason = `the service lost the job: ${what} for ${lostAfterSeconds} s`;
    return afterFailure(context, input, work, { class: "lost", reason }, job.startTime);
  }
  const limit = passedLimit(context, input, work, job);
  if (limit !== undefined) yield* cancel(context, job, { ...limit, isLimit: true, since: now(context) });
  else yield* keepWithinCap(context, input, work, job);
  return undefined;
}

/** What is taken for the end of a job that did not say so: one that is unknown and was never seen on a machine never came to be. */
function endOfSilent({ jobStatus, phase }: WatchedJob): "never" | "ended" | "lost" {
  if (jobStatus !== "NotFound") return "lost";
  return phase === undefined || phase === "queued" ? "never" : "ended";
}

/** Asks for the money to go on with until the next look, and cancels the job when there is none. */
function* keepWithinCap(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  job: WatchedJob,
): Generator<Task, void, unknown> {
  const reason = yield* extendLease(context, input, work, backstopSeconds(job.polls));
  if (reason !== undefined)
    yield* cancel(context, job, { reason, isLimit: true, class: "cost-cap", since: now(context) });
}

function see(context: OrchestrationContext, job: WatchedJob, jobStatus: string): void {
  job.jobStatus = jobStatus;
  if (isSuspicious(jobStatus)) job.suspectSince ??= now(context);
  else delete job.suspectSince;
  const phase = phaseOf(jobStatus);
  if (phase === undefined || phase === job.phase) return;
  if (phase === "running" && job.phase === "preparing") job.runsSince = now(context);
  job.phase = phase;
  job.phaseSince = now(context);
}

function nextPoll(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  job: WatchedJob,
  isAnnounced: boolean,
): Date {
  const time = context.df.currentUtcDateTime.getTime();
  const backstop = backstopSeconds(job.polls);
  if (job.cancel !== undefined) return new Date(time + 1000 * (job.polls < quickPolls ? 5 : backstop));
  const { deadline, lookSeconds } = tightestLimit(input, job);
  // Announced but not seen, or perhaps lost: the end is near, ask again soon.
  const near = isAnnounced ? 5 : job.suspectSince === undefined ? Infinity : 30;
  const due = time + 1000 * Math.min(backstop, near, lookSeconds, longestPause(context, work, job));
  const node = nodeDeadline(input, work);
  const limit = Math.min(deadline ?? Infinity, node === undefined ? Infinity : Date.parse(node));
  return new Date(Math.max(time + 1, Math.min(due, limit)));
}

function* conclude(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  job: WatchedJob,
  outcome: "completed" | "failed" | "canceled",
): Generator<Task, Turn, unknown> {
  const { jobName, jobStatus } = job;
  const planNode = input.trial?.planNode ?? input.node;
  const place = { runId: input.runId, node: input.node, planNode, attempt: work.attempt, jobName };
  if (outcome === "completed") {
    const { outputs } = yield* call(context, collectOutputs, place);
    const timing = work.timing === undefined ? {} : { timing: work.timing };
    return { ...progressOf(work), node: input.node, endTime: now(context), status: "completed", outputs, ...timing };
  }
  const order = job.cancel;
  if (order !== undefined && order.isLimit !== true) return canceled(context, input, work, order.reason);
  const described = yield* call(context, describeFailure, { ...place, jobStatus });
  if (order === undefined) return afterFailure(context, input, work, described, job.startTime);
  const { class: _class, isLasting: _isLasting, memory: _memory, ...rest } = described;
  const failure = { ...rest, reason: order.reason, ...(order.class === undefined ? {} : { class: order.class }) };
  return afterFailure(context, input, work, failure, job.startTime);
}
