// The time a job may spend in each of its phases. When a phase began is seen by polling, so a job with a limit is asked often
// enough to keep it within a quarter.
import type { OrchestrationContext } from "durable-functions";
import type { JobPhase } from "#shared/domain/job-phase.ts";
import { hasPassed, nodeDeadline, type NodeWork, secondsAfter, type WatchedJob } from "./node-work.ts";
import type { NodeInput } from "./run-node.ts";

const phases: readonly JobPhase[] = ["queued", "preparing", "running", "finalizing"];

function limitOf({ policy, timeoutSeconds }: NodeInput, phase: JobPhase): number | undefined {
  const limit = policy?.limits?.[`${phase}Seconds`];
  // `limits.timeout` is the service's to keep; it is kept here too, in case the service does not.
  return phase === "running" ? Math.min(limit ?? Infinity, timeoutSeconds ?? Infinity) : limit;
}

const words: Readonly<Record<JobPhase, string>> = {
  queued: "the job waited for a machine longer than its limit of",
  preparing: "the job was preparing longer than its limit of",
  running: "the job ran longer than its limit of",
  finalizing: "the job was storing its outputs longer than its limit of",
};

/** The limit that the job has passed, in words, with the class of failure it stands for. */
export function passedLimit(
  context: OrchestrationContext,
  input: NodeInput,
  work: NodeWork,
  { phase, phaseSince }: WatchedJob,
): { reason: string; class?: "no-capacity" } | undefined {
  const nodeSeconds = input.policy?.limits?.nodeSeconds;
  if (hasPassed(context, nodeDeadline(input, work))) {
    return { reason: `the node ran longer than its limit of ${nodeSeconds} s, all attempts together` };
  }
  const limit = phase === undefined ? undefined : limitOf(input, phase);
  if (phase === undefined || limit === undefined || !Number.isFinite(limit)) return undefined;
  if (!hasPassed(context, secondsAfter(phaseSince, limit))) return undefined;
  const reason = `${words[phase]} ${limit} s`;
  // Another size may be had sooner.
  return phase === "queued" ? { reason, class: "no-capacity" } : { reason };
}

/** When the present phase is over, in milliseconds since 1970, and the longest pause that sees the next one begin in time. */
export function tightestLimit(
  input: NodeInput,
  { phase, phaseSince }: WatchedJob,
): { deadline: number | undefined; lookSeconds: number } {
  const present = phase === undefined ? undefined : limitOf(input, phase);
  const deadline =
    present === undefined || !Number.isFinite(present) ? undefined : Date.parse(phaseSince) + 1000 * present;
  const coming = phases.slice(phase === undefined ? 0 : phases.indexOf(phase) + 1);
  const limits = coming.map((each) => limitOf(input, each) ?? Infinity);
  return { deadline, lookSeconds: Math.max(10, Math.min(Infinity, ...limits) / 4) };
}
