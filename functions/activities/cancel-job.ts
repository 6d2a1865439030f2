import type { Ml } from "#shared/azure/ml.ts";

/** Asks the service to cancel a job; one that has ended or is unknown needs nothing. */
export function createCancelJob({ ml }: { ml: Ml }) {
  return async function cancelJob({ jobName }: { jobName: string }): Promise<null> {
    await ml.cancelJob(jobName);
    return null;
  };
}
