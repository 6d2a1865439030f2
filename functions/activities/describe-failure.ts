import type { Ml } from "#shared/azure/ml.ts";
import type { Blobs } from "#shared/azure/blob.ts";
import { classifyFailure } from "#shared/domain/classify-failure.ts";
import { EndMarker } from "#shared/domain/end-marker.ts";
import { type AttemptPlace, endMarkerPath } from "#shared/domain/layout.ts";
import type { NodeFailure } from "#shared/domain/run.ts";
import { withoutSecrets } from "#shared/log.ts";
import type { JobLogs } from "../job-logs.ts";

/** Job properties in which the service has been seen to say what went wrong. */
const messageProperties = ["_azureml.ErrorMessage", "azureml.errorMessage", "ErrorMessage"];

/** Why an attempt failed, and of which class that is: from the service's words, the program's exit code and the end of its log. */
export function createDescribeFailure({ ml, blobs, logs }: { ml: Ml; blobs: Blobs; logs: JobLogs }) {
  return async function describeFailure({
    jobName,
    jobStatus,
    ...place
  }: AttemptPlace & { jobName: string; jobStatus: string }): Promise<NodeFailure> {
    const [job, exitCode, logTail] = await Promise.all([
      ml.getJob(jobName),
      readExitCode(blobs, place),
      logs.tail(jobName),
    ]);
    const experimentName = job?.properties.experimentName;
    const told = experimentName === undefined ? undefined : await ml.jobError(jobName, experimentName);
    const properties = job?.properties.properties ?? {};
    const said = messageProperties.map((key) => properties[key]).find((text) => text !== undefined && text !== null);
    const message = told?.message ?? said;
    // A job that never began has no log: what the service says is all there is.
    const tail = logTail.length > 0 ? logTail : linesOf(message);
    return {
      ...classifyFailure({ jobStatus, codes: told?.codes ?? [], message, exitCode, logTail }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(tail.length === 0 ? {} : { logTail: tail }),
    };
  };
}

/** The last lines of a message that has more than one. */
function linesOf(message: string | undefined): string[] {
  const lines = (message ?? "").split("\n").map((line) => line.trimEnd());
  return lines.length < 2 ? [] : lines.slice(-20).map((line) => withoutSecrets(line.slice(-500)));
}

/** The exit code an attempt's end marker tells, or undefined when there is none. */
async function readExitCode(blobs: Blobs, place: AttemptPlace): Promise<number | undefined> {
  const text = await blobs.readText(endMarkerPath(place));
  if (text === undefined) return undefined;
  try {
    return EndMarker.parse(JSON.parse(text)).exitCode;
  } catch {
    return undefined;
  }
}
