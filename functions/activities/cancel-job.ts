import type { Ml } from "#shared/azure/ml.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";

/**
 * Asks the service to cancel a job; one that has ended or is unknown needs nothing. An order that a service could not take is
 * dropped: whoever waits for the job's end gives it again.
 */
export function createCancelJob({ ml, log }: { ml: Ml; log: Log }) {
  return async function cancelJob({ jobName }: { jobName: string }): Promise<{ isTaken: boolean }> {
    try {
      await ml.cancelJob(jobName);
      return { isTaken: true };
    } catch (error) {
      if (!isMlpipeError(error) || error.code !== "Unavailable") throw error;
      log.warn({ jobName, error }, "cancel not taken");
      return { isTaken: false };
    }
  };
}
