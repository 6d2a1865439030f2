// Asks Azure ML where a job is. An event that announced the end may be early by the time the service needs to finalise, so
// the caller may let this wait a little: that is cheaper than another turn of the orchestration.
import { setTimeout as sleep } from "node:timers/promises";
import type { Ml } from "#shared/azure/ml.ts";
import { isMlpipeError } from "#shared/errors.ts";

const outcomes: Record<string, "completed" | "failed" | "canceled"> = {
  Completed: "completed",
  Failed: "failed",
  Canceled: "canceled",
};

export function createGetJob({ ml }: { ml: Ml }) {
  return async function getJob({ jobName, settleSeconds }: { jobName: string; settleSeconds: number }) {
    const until = Date.now() + settleSeconds * 1000;
    for (let pauseMs = 4; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const job = await askJob(jobName);
      if (job === "unavailable") return { jobStatus: "Unavailable", isUnavailable: true };
      const jobStatus = job?.properties.status ?? "NotFound";
      const outcome = outcomes[jobStatus];
      // While it runs, the announced end is not near: a forged or far too early event must not keep an activity busy.
      const isNear = jobStatus === "Finalizing" || jobStatus === "Running" || jobStatus === "CancelRequested";
      if (outcome !== undefined && settleSeconds > 0) return { jobStatus, outcome };
      // Nobody has announced it, so it may be long ago.
      if (outcome !== undefined)
        return { jobStatus, outcome, ...(await endOf(jobName, job?.properties.experimentName)) };
      if (!isNear || Date.now() + pauseMs > until) return { jobStatus };
      await sleep(pauseMs);
    }
  };

  async function endOf(jobName: string, experimentName: string | undefined): Promise<{ endTime?: string }> {
    if (experimentName === undefined) return {};
    // What is not told is taken for now.
    const { end } = await ml.jobTimes(jobName, experimentName).catch(() => ({ end: undefined }));
    return end === undefined ? {} : { endTime: end };
  }

  /** A service that is down knows nothing of the job: it is asked again later, and the wait can be cancelled meanwhile. */
  async function askJob(jobName: string) {
    try {
      return await ml.getJob(jobName);
    } catch (error) {
      if (isMlpipeError(error) && error.code === "Unavailable") return "unavailable";
      throw error;
    }
  }
}
