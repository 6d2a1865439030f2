// The outputs of a node that can be listed and downloaded: its own, and `default`, Azure ML's name for what a job leaves besides
// them (MLflow's pictures, `./outputs`, logs).
import { artifactUri } from "#shared/domain/layout.ts";
import type { NodeRun } from "#shared/domain/run.ts";

/** Output name -> URI. */
export function readableOutputs({ outputs, jobName, reusedFrom }: NodeRun): Record<string, string> {
  const job = jobName ?? reusedFrom?.jobName;
  return { ...(job === undefined ? {} : { default: artifactUri(job) }), ...outputs };
}
