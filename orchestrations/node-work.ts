// What a node's orchestration carries from one generation to the next: its attempts so far, and the job or the pause it is in.
import type { OrchestrationContext } from "durable-functions";
import type { JobTiming } from "#shared/domain/cost/durations.ts";
import type { MachineTime } from "#shared/domain/cost/machine-time.ts";
import type { JobPhase } from "#shared/domain/job-phase.ts";
import type { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import { type Course, initialCourse, nextStep, spreadOf } from "#shared/domain/retry.ts";
import type { NodeAttempt, NodeFailure } from "#shared/domain/run.ts";
import type { NodeInput } from "./run-node.ts";

export interface NodeWork {
  /** ISO 8601, as all times here. */
  readonly startTime: string;
  /** Number of the newest attempt; 0 before the first. */
  attempt: number;
  readonly refused: { instanceType: string; reason: string }[];
  /** Attempts that were followed by another. */
  readonly attempts: NodeAttempt[];
  course: Course;
  job?: WatchedJob;
  pause?: Pause;
  /** Set while the newest attempt may or may not have been taken: it is submitted again under the same name. */
  outage?: { readonly since: string; readonly tries: number };
  /** Whether a slot is taken of those that limits leave. */
  hasSlot?: boolean;
  /** From when the newest attempt's machine may count: when it was last known to have none. */
  machineSince?: string;
  /** Of the attempts before, and of the newest as far as it has been seen. */
  machineTime?: MachineTime;
  /** Of the newest attempt, as far as it has been seen. */
  timing?: JobTiming;
  /** Of the attempts before alone. */
  pastTime?: MachineTime;
  /** Since when nobody has answered to the question for money. */
  ledgerDownSince?: string;
  /** What the newest attempt may spend, where the run has a cap. */
  lease?: Lease;
}

export interface Lease {
  readonly jobName: string;
  /** Millionths of a dollar an hour. */
  readonly rate: number;
  /** Millionths of a dollar. */
  allowance: number;
  /** Number of the last request. */
  step: number;
  readonly ceilingSeconds?: number;
  /** What was said when it was last asked for. */
  reason: string;
  /** When it was last asked for, nobody answered. */
  isUnanswered?: boolean;
}

export interface Pause {
  readonly until: string;
  readonly waitsFor: string;
  readonly isForSlot?: true;
}

export interface WatchedJob {
  readonly jobName: string;
  jobStatus: string;
  readonly instanceType?: string;
  readonly startTime: string;
  /** How many back-stop timers have fired. */
  polls: number;
  phase?: JobPhase;
  /** When the phase was first seen. */
  phaseSince: string;
  /** When it was first seen to run, after it was seen to be prepared. */
  runsSince?: string;
  /** Since when the job may be lost. */
  suspectSince?: string;
  cancel?: JobCancel;
}

export interface JobCancel {
  readonly reason: string;
  readonly since: string;
  /** A limit of the node's is no wish of anybody's: the node fails by it. */
  readonly isLimit?: true;
  /** What the limit stands for. */
  readonly class?: "no-capacity" | "cost-cap";
  /** The service has answered to the order. */
  isTaken?: boolean;
}

/** What a part of the node's life ends with: the generation, a step to the next part, or the node. */
export type Turn = "next-generation" | "go-on" | NodeResult;

/** Attempts that are told. */
const keptAttempts = 10;
const longestAttemptReason = 300;

export const now = (context: OrchestrationContext): string => context.df.currentUtcDateTime.toISOString();

export function hasPassed(context: OrchestrationContext, time: string | undefined): boolean {
  return time !== undefined && context.df.currentUtcDateTime.getTime() >= Date.parse(time);
}

export function secondsAfter(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}

export function beginWork(context: OrchestrationContext, { instanceTypes }: NodeInput): NodeWork {
  return { startTime: now(context), attempt: 0, refused: [], attempts: [], course: initialCourse(instanceTypes) };
}

/** The node's custom status. */
export function progressOf({ startTime, attempt, refused, attempts, job, pause, machineTime }: NodeWork): NodeProgress {
  return {
    attempt: Math.max(1, attempt),
    startTime,
    refused,
    ...(attempts.length === 0 ? {} : { attempts }),
    ...(pause === undefined ? {} : { waitsFor: pause.waitsFor }),
    ...(job === undefined ? {} : { jobName: job.jobName, jobStatus: job.jobStatus }),
    ...(job?.instanceType === undefined ? {} : { instanceType: job.instanceType }),
    ...(machineTime === undefined ? {} : { machineTime }),
  };
}

export function failed(
  context: OrchestrationContext,
  { node }: NodeInput,
  work: NodeWork,
  failure: NodeFailure,
): NodeResult {
  return { ...progressOf(work), node, endTime: now(context), status: "failed", failure };
}

export function canceled(
  context: OrchestrationContext,
  { node }: NodeInput,
  work: NodeWork,
  reason: string,
): NodeResult {
  return { ...progressOf(work), node, endTime: now(context), status: "canceled", failure: { reason } };
}

/** When all the node's time is over, or undefined when it has no limit. */
export function nodeDeadline({ policy }: NodeInput, { startTime }: NodeWork): string | undefined {
  const seconds = policy?.limits?.nodeSeconds;
  return seconds === undefined ? undefined : secondsAfter(startTime, seconds);
}

/** The node's failure, or the next attempt with the pause before it. */
export function afterFailure(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  failure: NodeFailure,
  begun: string,
): Turn {
  const instanceType = work.job?.instanceType ?? work.course.sizes[0] ?? undefined;
  const { class: name, ...setback } = failure;
  // Another attempt would cost as much.
  if (name === "cost-cap") return failed(context, input, work, failure);
  if (name === "no-capacity") tellRefusal(work, instanceType ?? "any size", failure.reason);
  const spread = spreadOf(`${input.runId}:${input.node}:${work.attempt}`);
  const step = nextStep(work.course, { ...setback, class: name }, input.policy, work.attempt, spread);
  if (step.kind === "give-up") {
    const isSizesOver = failure.class === "no-capacity" && work.refused.length > 0;
    return failed(context, input, work, isSizesOver ? { ...failure, reason: refusalsOf(work) } : failure);
  }
  work.attempts.push({
    attempt: work.attempt,
    ...(work.job === undefined ? {} : { jobName: work.job.jobName }),
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(failure.class === undefined ? {} : { class: failure.class }),
    reason: failure.reason.slice(0, longestAttemptReason),
    startTime: begun,
    endTime: now(context),
  });
  work.attempts.splice(0, work.attempts.length - keptAttempts);
  work.course = step.course;
  delete work.job;
  if (step.delaySeconds > 0) {
    const until = secondsAfter(now(context), step.delaySeconds);
    work.pause = { until, waitsFor: `attempt ${work.attempt + 1} at ${until} after: ${failure.reason.slice(0, 200)}` };
  }
  return "go-on";
}

function tellRefusal(work: NodeWork, instanceType: string, reason: string): void {
  const known = work.refused.findIndex((each) => each.instanceType === instanceType);
  work.refused.splice(known === -1 ? work.refused.length : known, 1, { instanceType, reason });
}

function refusalsOf({ refused }: NodeWork): string {
  const each = refused.map(({ instanceType, reason }) => `${instanceType}: ${reason}`).join("; ");
  return `no size that this node asks for could be had (${each})`;
}
