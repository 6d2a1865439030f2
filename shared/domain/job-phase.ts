// Azure ML's many words for where a job is, in the four phases that people set limits for.

export type JobPhase = "queued" | "preparing" | "running" | "finalizing";

const phases: Readonly<Record<string, JobPhase>> = {
  NotStarted: "queued",
  Starting: "queued",
  Provisioning: "queued",
  Scheduled: "queued",
  Queued: "queued",
  Preparing: "preparing",
  Running: "running",
  Finalizing: "finalizing",
};

/** The phase a job is in, or undefined when its status says nothing of the kind. */
export function phaseOf(jobStatus: string): JobPhase | undefined {
  return phases[jobStatus];
}

/**
 * Words of a job that may be lost: it is unknown to the workspace (which happens for a moment after it was submitted), or its
 * machine says nothing any more.
 */
export function isSuspicious(jobStatus: string): boolean {
  return jobStatus === "NotFound" || jobStatus === "NotResponding" || jobStatus === "Unknown";
}
