// What an input's URI stands for: assets, outputs of jobs and artifacts of runs are followed to where their bytes are.
import type { CommandProperties } from "./command-schema.ts";
import { artifactDatastore, datastoreUri } from "./datastores.ts";
import type { DatastoreResolver } from "./executor/contract.ts";
import { placeOutput } from "./job-outputs.ts";
import type { JobStore } from "./job-store.ts";
import type { ResourceStore } from "./resource-store.ts";
import { notFound, userError } from "./service-error.ts";
import { parseAssetId, type WorkspaceScope } from "./workspace-scope.ts";

export interface InputUriContext {
  readonly scope: WorkspaceScope;
  readonly resources: ResourceStore;
  readonly jobs: JobStore;
  readonly datastores: DatastoreResolver;
}

const jobOutput = /^azureml:\/\/jobs\/([^/]+)\/outputs\/([^/]+)(?:\/paths\/?(.*))?$/;
const runArtifact = /^runs:\/([^/]+)\/?(.*)$/;

function followAsset({ scope, resources }: InputUriContext, uri: string): string | undefined {
  const reference = parseAssetId(scope, uri);
  if (reference === undefined) return undefined;
  const { kind, name, version, registry } = reference;
  if (registry !== undefined) {
    throw userError(`The input ${uri} lies in the registry ${registry}, which this workspace cannot reach.`);
  }
  const found = version === "@latest" ? resources.latest(kind, name) : resources.get({ kind, name, version });
  if (found === undefined) throw notFound(kind === "models" ? "Model" : "Data asset", `${name}:${version}`);
  const target = found.properties["dataUri"] ?? found.properties["modelUri"];
  if (typeof target !== "string") throw userError(`The input ${uri} is not a data asset or a model.`);
  return target;
}

function followJobOutput({ jobs, datastores }: InputUriContext, uri: string): string | undefined {
  const match = jobOutput.exec(uri);
  if (match === null) return undefined;
  const [, jobName = "", outputName = "", path = ""] = match;
  const job = jobs.get(jobName);
  if (job === undefined) throw notFound("Job", jobName);
  if (outputName === "default")
    return datastoreUri(artifactDatastore, `ExperimentRun/dcid.${jobName}/${decodeURIComponent(path)}`);
  // Written by `normalize` of the command kind, which parsed it with this schema.
  const outputs = job.properties["outputs"] as CommandProperties["outputs"];
  const output = outputs[outputName];
  if (output === undefined) throw notFound(`Output of job ${jobName}`, outputName);
  const { uri: chosen, jobOutputType: type } = output;
  const root = placeOutput(datastores, {
    jobName,
    name: outputName,
    type,
    ...(chosen === undefined ? {} : { uri: chosen }),
  });
  return path === "" ? root : `${root.replace(/\/$/, "")}/${path}`;
}

/**
 * The datastore, storage or https URI an input is read from.
 * @throws ServiceError when it names nothing; MlpipeError when no datastore holds it.
 */
export function resolveInputUri(context: InputUriContext, uri: string): string {
  const followed = followAsset(context, uri) ?? followJobOutput(context, uri);
  if (followed !== undefined) return resolveInputUri(context, followed);
  const artifact = runArtifact.exec(uri);
  if (artifact !== null) {
    const [, runId = "", path = ""] = artifact;
    return datastoreUri(artifactDatastore, `ExperimentRun/dcid.${runId}/${path}`);
  }
  if (/^https?:\/\//i.test(uri)) return uri;
  // Anybody may read a public container; whether it is one shows when it is read.
  if (/^(wasbs?|abfss?):/i.test(uri) && context.datastores.publicPlace(uri) !== undefined) return uri;
  if (/^(azureml:\/\/|wasbs?:|abfss?:)/i.test(uri)) {
    context.datastores.resolve(uri);
    return uri;
  }
  throw userError(
    `The input URI ${uri} is not one the service can read; use azureml://, https://, wasbs:// or abfss://.`,
  );
}
