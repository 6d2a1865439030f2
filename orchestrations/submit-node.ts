// From nothing, or from a failed attempt, to a job in the workspace: waits out the pause before it, takes a slot where jobs are
// limited, and asks for a machine. Every wait here ends at once when the node is cancelled.
import type { OrchestrationContext, Task } from "durable-functions";
import { isLastingRefusal } from "#shared/domain/classify-failure.ts";
import { jobName } from "#shared/domain/job-name.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { phaseOf } from "#shared/domain/job-phase.ts";
import { cancelJob, releaseSlot, takeSlot } from "./activities.ts";
import { call } from "./contract.ts";
import {
  afterFailure,
  canceled,
  failed,
  hasPassed,
  nodeDeadline,
  type NodeWork,
  now,
  progressOf,
  secondsAfter,
  type Turn,
  type WatchedJob,
} from "./node-work.ts";
import { extendLease, settleLease, takeLease } from "./lease.ts";
import { nodeKinds } from "./nodes/nodes.ts";
import type { NodeInput } from "./run-node.ts";
import type { NodeSignal } from "./signals.ts";
import { waitForSignal } from "./wait-for-signal.ts";

/** Seconds for which a service may refuse or give no answer before the node gives up. */
const outagePatienceSeconds = 3600;
/** Seconds between two tries to submit, at most, unless the service names more. */
const longestOutagePause = 60;
/** Seconds between questions for a slot when nobody says that one is free. */
const slotPollSeconds = 300;

export function* submitNode(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
): Generator<Task, Turn, unknown> {
  for (;;) {
    if (hasPassed(context, nodeDeadline(input, work))) {
      const reason = `the node ran longer than its limit of ${input.policy?.limits?.nodeSeconds} s, all attempts together`;
      yield* withdraw(context, input, work);
      return failed(context, input, work, { reason });
    }
    if (work.pause !== undefined) {
      const turn = yield* pause(context, input, work);
      if (turn !== "go-on" || work.job !== undefined) return turn;
      continue;
    }
    if (input.isLimited === true && work.hasSlot !== true && !(yield* takeNodeSlot(context, input, work))) continue;
    const refusal = yield* takeMoney(context, input, work);
    if (refusal === "waits") {
      // Others may have the money, and then they need the slot.
      yield* giveSlot(context, input, work);
      continue;
    }
    if (refusal !== undefined) {
      yield* giveSlot(context, input, work);
      return refusal;
    }
    const turn = yield* submitAttempt(context, input, work);
    if (work.job === undefined && work.outage === undefined) yield* settleLease(context, input, work, "never");
    if (work.job === undefined) yield* giveSlot(context, input, work);
    if (turn !== "go-on" || work.job !== undefined) return turn;
  }
}

/** Where the run has a cap: no attempt begins, or is asked for again, without money for it. */
function* takeMoney(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
): Generator<Task, undefined | "waits" | NodeResult, unknown> {
  if (input.machines?.isCapped !== true) return undefined;
  if (work.lease === undefined) {
    const answer = yield* takeLease(context, input, work, jobName(input.runId, input.node, work.attempt + 1));
    return answer === "lent" ? undefined : answer;
  }
  // The job may be there since the service gave no answer.
  const reason = yield* extendLease(context, input, work, longestOutagePause);
  if (reason === undefined) return undefined;
  yield* withdraw(context, input, work);
  return failed(context, input, work, { class: "cost-cap", reason });
}

/** Frees the slot of a job that has ended, or never came to be. */
export function* giveSlot(
  context: OrchestrationContext,
  { runId, node }: NodeInput,
  work: NodeWork,
): Generator<Task, void, unknown> {
  if (work.hasSlot !== true) return;
  yield* call(context, releaseSlot, { runId, node });
  delete work.hasSlot;
}

function* pause(context: OrchestrationContext, input: NodeInput, work: NodeWork): Generator<Task, Turn, unknown> {
  const { until, isForSlot } = work.pause ?? { until: now(context) };
  const deadline = nodeDeadline(input, work);
  context.df.setCustomStatus(progressOf(work));
  const due = deadline !== undefined && deadline < until ? deadline : until;
  const signal = yield* waitForSignal<NodeSignal>(context, new Date(due));
  if (signal === undefined) {
    delete work.pause;
    return "next-generation";
  }
  if (signal.kind === "slot-free" && isForSlot === true) delete work.pause;
  if (signal.kind !== "cancel") return "go-on";
  delete work.pause;
  if (!(yield* withdraw(context, input, work))) {
    // The service is down: its answer is waited for as with any job.
    const job = watch(context, work, jobName(input.runId, input.node, work.attempt), "NotFound");
    job.cancel = { reason: signal.reason, since: now(context) };
    return "go-on";
  }
  // A queued claim goes the same way as a slot that was taken.
  if (input.isLimited === true) yield* call(context, releaseSlot, { runId: input.runId, node: input.node });
  return canceled(context, input, work, signal.reason);
}

/** @returns whether there is a slot; otherwise the node pauses */
function* takeNodeSlot(
  context: OrchestrationContext,
  { runId, node }: NodeInput,
  work: NodeWork,
): Generator<Task, boolean, unknown> {
  const instanceType = work.course.sizes[0] ?? undefined;
  const answer = yield* call(context, takeSlot, {
    runId,
    node,
    ...(instanceType === undefined ? {} : { instanceType }),
  });
  if (answer.isGranted) {
    work.hasSlot = true;
    return true;
  }
  const until = secondsAfter(now(context), slotPollSeconds);
  work.pause = { until, waitsFor: answer.waitsFor ?? "a free slot", isForSlot: true };
  return false;
}

function* submitAttempt(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
): Generator<Task, Turn, unknown> {
  // The service remembers a job under its name, a refused one too: what was refused or failed never comes back under it.
  if (work.outage === undefined) work.attempt += 1;
  const begun = now(context);
  if (work.outage === undefined && input.machines !== undefined) work.machineSince = begun;
  const instanceType = work.course.sizes[0] ?? undefined;
  // Whoever cancels the run now finds in it which job is on its way.
  context.df.setCustomStatus(progressOf(work));
  const answer = yield* call(context, nodeKinds[input.kind].submitActivity(input.component), {
    runId: input.runId,
    node: input.node,
    attempt: work.attempt,
    upstream: input.upstream,
    ...(input.trial === undefined ? {} : { trial: input.trial }),
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(work.course.isDedicated === true ? { isDedicated: true } : {}),
    ...(work.lease?.ceilingSeconds === undefined ? {} : { ceilingSeconds: work.lease.ceilingSeconds }),
  });
  const { outage } = work;
  delete work.outage;
  switch (answer.kind) {
    case "submitted": {
      watch(context, work, answer.jobName, answer.jobStatus);
      return "go-on";
    }
    case "refused": {
      const isLasting = isLastingRefusal(answer.reason);
      return afterFailure(context, input, work, { class: "no-capacity", reason: answer.reason, isLasting }, begun);
    }
    case "rejected":
      return failed(context, input, work, { reason: answer.reason });
    case "unavailable": {
      const { since, tries } = outage ?? { since: begun, tries: 0 };
      if (hasPassed(context, secondsAfter(since, outagePatienceSeconds))) {
        yield* withdraw(context, input, { ...work, outage: { since, tries } });
        return failed(context, input, work, { class: "throttled", reason: answer.reason });
      }
      work.outage = { since, tries: tries + 1 };
      const seconds = Math.max(answer.retryAfterSeconds ?? 0, Math.min(longestOutagePause, 2 ** tries));
      work.pause = { until: secondsAfter(now(context), seconds), waitsFor: `the service: ${answer.reason}` };
      return "go-on";
    }
  }
}

/** From here on the job is what the node waits for. */
function watch(context: OrchestrationContext, work: NodeWork, name: string, jobStatus: string): WatchedJob {
  const time = now(context);
  const phase = phaseOf(jobStatus);
  const instanceType = work.course.sizes[0] ?? undefined;
  work.job = {
    jobName: name,
    jobStatus,
    ...(instanceType === undefined ? {} : { instanceType }),
    startTime: time,
    polls: 0,
    ...(phase === undefined ? {} : { phase }),
    phaseSince: time,
  };
  return work.job;
}

/**
 * Cancels the job of an attempt that may have been taken although nobody said so.
 *
 * @returns whether no job of it is left to care for
 */
function* withdraw(context: OrchestrationContext, input: NodeInput, work: NodeWork): Generator<Task, boolean, unknown> {
  if (work.outage === undefined) return true;
  delete work.outage;
  const { isTaken } = yield* call(context, cancelJob, { jobName: jobName(input.runId, input.node, work.attempt) });
  if (isTaken) yield* settleLease(context, input, work, "lost");
  return isTaken;
}
