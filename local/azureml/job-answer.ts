import { artifactRoot } from "./job-outputs.ts";
import type { JobRecord } from "./job-store.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

/** `systemData` of any resource; who did it is always the holder of the one token. */
export function systemData(record: {
  readonly createdAt: string;
  readonly modifiedAt: string;
}): Record<string, string> {
  return {
    createdAt: record.createdAt,
    createdBy: "mlpipe",
    createdByType: "User",
    lastModifiedAt: record.modifiedAt,
    lastModifiedBy: "mlpipe",
    lastModifiedByType: "User",
  };
}

/** `YYYY-MM-DD HH:MM:SS`, the service's form for times among the run's properties. */
function toRunTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

function serverMade(job: JobRecord): Record<string, string> {
  const codeId = job.properties["codeId"];
  return {
    "_azureml.ComputeTargetType": "amlctrain",
    ProcessInfoFile: "azureml-logs/process_info.json",
    ProcessStatusFile: "azureml-logs/process_status.json",
    ...(typeof codeId === "string" ? { ContentSnapshotId: codeId } : {}),
    ...(job.startedAt === undefined ? {} : { StartTimeUtc: toRunTime(job.startedAt) }),
    ...(job.endedAt === undefined ? {} : { EndTimeUtc: toRunTime(job.endedAt) }),
  };
}

function literalParameters(inputs: unknown): Record<string, unknown> {
  if (typeof inputs !== "object" || inputs === null) return {};
  return Object.fromEntries(
    Object.entries(inputs)
      .filter(([, input]) => input?.jobInputType === "literal")
      .map(([name, input]) => [name, input.value]),
  );
}

/**
 * A job as GET and PUT answer it: what was sent plus what the service adds.
 * @param host Host and port of the workspace, in place of `{region}.api.azureml.ms`.
 */
export function toJobAnswer(scope: WorkspaceScope, host: string, job: JobRecord): unknown {
  const { subscriptionId, resourceGroup, workspaceName, tenantId } = scope;
  const workspace = `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/workspaces/${workspaceName}`;
  const service = (jobServiceType: string, endpoint: string) => ({
    jobServiceType,
    port: null,
    endpoint,
    status: null,
    errorMessage: null,
    properties: null,
  });
  const { properties } = job;
  return {
    id: `${scope.path}/jobs/${job.name}`,
    name: job.name,
    type: "Microsoft.MachineLearningServices/workspaces/jobs",
    properties: {
      ...properties,
      status: job.status,
      parameters: literalParameters(properties["inputs"]),
      properties: { ...serverMade(job), ...properties.properties },
      services: {
        ...(properties["services"] as object | undefined),
        Tracking: service("Tracking", `azureml://${host}/mlflow/v1.0${scope.path}?`),
        Studio: service("Studio", `https://ml.azure.com/runs/${job.name}?wsid=${workspace}&tid=${tenantId}`),
      },
      outputs: {
        ...(properties["outputs"] as object | undefined),
        default: {
          description: null,
          uri: artifactRoot(job.name),
          mode: "ReadWriteMount",
          jobOutputType: "uri_folder",
        },
      },
    },
    systemData: systemData(job),
  };
}
