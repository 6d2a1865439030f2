// The money of a node's newest attempt. Its machine counts from when it was last known to have none, which is never too late, to
// when its end is seen, which is never too early. Where the run has a cap, the attempt spends what it was lent: it asks for more
// before that is gone, and is cancelled when there is no more, early enough to be gone before the money is.
import type { OrchestrationContext, Task } from "durable-functions";
import { costOf } from "#shared/domain/cost/money.ts";
import { reserveSeconds } from "#shared/domain/cost/cost-ledger.ts";
import type { JobTiming } from "#shared/domain/cost/durations.ts";
import { addTime, timeOn } from "#shared/domain/cost/machine-time.ts";
import { phaseOf } from "#shared/domain/job-phase.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { lendMoney, type LoanAnswer, type LoanRequest, settleMoney } from "./activities.ts";
import { call } from "./contract.ts";
import { failed, hasPassed, type NodeWork, now, secondsAfter, type WatchedJob } from "./node-work.ts";
import type { NodeInput } from "./run-node.ts";

/** Seconds between questions of a node that waits for money to come back. */
const moneyPollSeconds = 20;
/** Seconds for which the ledger may be out of reach before a node that has no job gives up. */
const ledgerPatienceSeconds = 3600;
/** Seconds between looks at a job that waits for a machine, where its money counts. */
const queuePollSeconds = 60;

/**
 * Asks for money to begin a job with.
 *
 * @returns `lent`; `waits` when the node pauses, since others may give some back; the node's failure when nobody will
 */
export function* takeLease(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  jobName: string,
): Generator<Task, "lent" | "waits" | NodeResult, unknown> {
  const answer = yield* ask(context, { ...requestOf(input, work, jobName), step: 1, used: 0 });
  const time = now(context);
  if (answer.kind === "none") {
    work.ledgerDownSince ??= time;
    if (hasPassed(context, secondsAfter(work.ledgerDownSince, ledgerPatienceSeconds)))
      return failed(context, input, work, { class: "storage", reason: answer.reason });
    work.pause = { until: secondsAfter(time, moneyPollSeconds), waitsFor: answer.reason };
    return "waits";
  }
  delete work.ledgerDownSince;
  if (answer.kind === "lent") {
    const { rate, allowance, ceilingSeconds, reason } = answer;
    work.lease = {
      jobName,
      rate,
      allowance,
      step: 1,
      reason,
      ...(ceilingSeconds === undefined ? {} : { ceilingSeconds }),
    };
    work.machineSince = time;
    return "lent";
  }
  if (!answer.mayWait) return failed(context, input, work, { class: "cost-cap", reason: answer.reason });
  work.pause = { until: secondsAfter(time, moneyPollSeconds), waitsFor: `money: ${answer.reason}` };
  return "waits";
}

/**
 * Asks for more money when what is left does not last until the next look.
 *
 * @param longest seconds until then, at most
 * @returns why the job has to stop now, or undefined while it may go on
 */
export function* extendLease(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  longest: number,
): Generator<Task, string | undefined, unknown> {
  const { lease, job } = work;
  const seconds = job !== undefined && isQueued(job) ? Math.min(longest, queuePollSeconds) : longest;
  if (lease === undefined || secondsLeft(context, work) > seconds) return undefined;
  lease.step += 1;
  const request = { ...requestOf(input, work, lease.jobName), step: lease.step, used: usedBy(context, work) };
  const answer = yield* ask(context, request);
  lease.reason = answer.reason;
  lease.isUnanswered = answer.kind === "none";
  if (answer.kind === "lent") lease.allowance = answer.allowance;
  return secondsLeft(context, work) > 0 ? undefined : answer.reason;
}

/**
 * Seconds for which nobody needs to look at a job for the sake of its money. One in the queue costs nothing, and the longer nobody
 * looks, the less is known of when it began to.
 */
export function longestPause(context: OrchestrationContext, work: NodeWork, job: WatchedJob): number {
  const left = secondsLeft(context, work);
  if (left === Infinity) return left;
  const pause = work.lease?.isUnanswered === true ? moneyPollSeconds : isQueued(job) ? queuePollSeconds : left;
  return Math.min(left, pause);
}

/** Seconds until a job has to be told to stop, unless more is lent; Infinity where there is no cap. */
function secondsLeft(context: OrchestrationContext, { lease, machineSince }: NodeWork): number {
  if (lease === undefined || machineSince === undefined || lease.rate === 0) return Infinity;
  const end = Date.parse(machineSince) + (lease.allowance / lease.rate) * 3_600_000;
  return (end - context.df.currentUtcDateTime.getTime()) / 1000 - reserveSeconds;
}

/**
 * Takes down how long the newest attempt's machines were used until now.
 *
 * @param asked when its job was asked for
 * @param end when it ended, where that is known better than that it has
 */
export function meter(
  context: OrchestrationContext,
  { machines }: NodeInput,
  work: NodeWork,
  asked: string,
  end?: string,
): void {
  if (machines === undefined || work.machineSince === undefined || work.job === undefined) return;
  // A job in the queue has no machine of its own, and had none until it was asked.
  const hasNone = phaseOf(work.job.jobStatus) === "queued";
  if (hasNone) work.machineSince = asked;
  const elapsed = hasNone ? 0 : secondsSince(context, work.machineSince, end);
  const seconds = elapsed * machines.instanceCount;
  const name = work.job.instanceType ?? machines.compute;
  const isSpot = machines.isSpot === true && work.course.isDedicated !== true;
  const time = seconds === 0 ? work.pastTime : addTime(work.pastTime, timeOn({ name, isSpot }, seconds));
  if (time === undefined) delete work.machineTime;
  else work.machineTime = time;
  work.timing = timingOf(work.job, work.machineSince, elapsed);
}

function timingOf({ startTime, runsSince }: WatchedJob, machineSince: string, machine: number): JobTiming {
  const seconds = (from: string, to: string) => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  return {
    queued: seconds(startTime, machineSince),
    machine,
    ...(runsSince === undefined ? {} : { preparing: Math.min(machine, seconds(machineSince, runsSince)) }),
  };
}

/**
 * Ends the newest attempt's account.
 *
 * @param end `ended` when its job has ended; `never` when there was none; `lost` when nobody knows
 */
export function* settleLease(
  context: OrchestrationContext,
  { runId, node }: NodeInput,
  work: NodeWork,
  end: "ended" | "never" | "lost",
  endTime?: string,
): Generator<Task, void, unknown> {
  const { lease, machineSince } = work;
  const cost = end === "never" ? 0 : usedBy(context, work, endTime);
  delete work.lease;
  delete work.machineSince;
  if (work.machineTime !== undefined) work.pastTime = work.machineTime;
  if (lease === undefined || lease.rate === 0) return;
  const lost = end === "lost" && machineSince !== undefined ? { lostSince: machineSince } : {};
  yield* call(context, settleMoney, { runId, node, jobName: lease.jobName, cost, ...lost });
}

type Answer = LoanAnswer | { readonly kind: "none"; readonly reason: string };

/** Whoever gets no answer decides by what is lent already. */
function* ask(context: OrchestrationContext, request: LoanRequest): Generator<Task, Answer, unknown> {
  try {
    return yield* call(context, lendMoney, request);
  } catch (error) {
    const said = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { kind: "none", reason: `the ledger of the run's cap cannot be reached: ${said.slice(0, 300)}` };
  }
}

function isQueued({ phase }: WatchedJob): boolean {
  return phase === undefined || phase === "queued";
}

function requestOf({ runId, node }: NodeInput, { course }: NodeWork, jobName: string) {
  const instanceType = course.sizes[0] ?? undefined;
  return {
    runId,
    node,
    jobName,
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(course.isDedicated === true ? { isDedicated: true } : {}),
  };
}

function usedBy(context: OrchestrationContext, { lease, machineSince }: NodeWork, end?: string): number {
  if (lease === undefined || machineSince === undefined) return 0;
  return costOf(lease.rate, secondsSince(context, machineSince, end));
}

/** @param until ISO 8601; counts when it is between the two times that are our own */
function secondsSince(context: OrchestrationContext, time: string, until?: string): number {
  const [from, present] = [Date.parse(time), context.df.currentUtcDateTime.getTime()];
  const to = until === undefined ? present : Math.min(present, Math.max(from, Date.parse(until)));
  return Math.max(0, to - from) / 1000;
}
