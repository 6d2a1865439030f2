// Where a run's blobs lie in the workspace's default blob store (container-relative, no leading slash).
// The end marker stands beside the output folders, never inside: real components fail when a folder holds one file
// more than they wrote.

export const runsFolder = "mlpipe/runs/";

export interface AttemptPlace {
  readonly runId: string;
  readonly node: string;
  readonly attempt: number;
}

/** `mlpipe/runs/{runId}/`. */
export function runFolder(runId: string): string {
  return `${runsFolder}${runId}/`;
}

/** The plan a run executes, as JSON. */
export function planPath(runId: string): string {
  return `${runFolder(runId)}plan.json`;
}

/** `mlpipe/runs/{runId}/{node}/{attempt}/`. */
export function attemptFolder({ runId, node, attempt }: AttemptPlace): string {
  return `${runFolder(runId)}${node}/${attempt}/`;
}

export function outputFolder(place: AttemptPlace, output: string): string {
  return `${attemptFolder(place)}${output}/`;
}

export function endMarkerPath(place: AttemptPlace): string {
  return `${attemptFolder(place)}.ended.json`;
}

const markerPattern = /^mlpipe\/runs\/([^/]+)\/([^/]+)\/(\d{1,6})\/\.ended\.json$/;

/** The attempt whose end marker lies at `path`, or undefined when it is some other blob. */
export function parseEndMarkerPath(path: string): AttemptPlace | undefined {
  const match = markerPattern.exec(path);
  if (match === null) return undefined;
  const [, runId, node, attempt] = match;
  if (runId === undefined || node === undefined || attempt === undefined) return undefined;
  return { runId, node, attempt: Number(attempt) };
}

/** Instance id of a node's orchestration. */
export function nodeInstanceId(runId: string, node: string): string {
  return `${runId}:${node}`;
}

/** Code and data uploaded by content: `mlpipe/uploads/{hash}/`. */
export function uploadFolder(hash: string): string {
  return `mlpipe/uploads/${hash}/`;
}

/** What a run with a cap has spent and may spend. */
export function costLedgerPath(runId: string): string {
  return `${runFolder(runId)}.cost.json`;
}

/** What was asked for when a run was started, for a rerun with other inputs. */
export function requestPath(runId: string): string {
  return `${runFolder(runId)}.request.json`;
}

/** What the nodes that a run itself has run have made; written when it ends. */
export function rememberedNodesPath(runId: string): string {
  return `${runFolder(runId)}.remembered.json`;
}

/** Whether the run's model is approved: written once. */
export function approvalPath(runId: string): string {
  return `${runFolder(runId)}.approval.json`;
}

/** Below it, one note per start: the nodes that a run has reused, and from where. */
export function reusedFolder(runId: string): string {
  return `${runFolder(runId)}.reused/`;
}

/** Below it, one note per run that reads this run's outputs as its own: as long as one of those is kept, this one is too. */
export function referencesFolder(runId: string): string {
  return `${runFolder(runId)}.references/`;
}

export const cacheFolder = "mlpipe/cache/";

/** Below it, by key: what the completed node of that key has made. */
export const cacheEntriesFolder = `${cacheFolder}nodes/`;

export function cacheEntryPath(key: string): string {
  return `${cacheEntriesFolder}${key}.json`;
}

/** What the nodes of a pipeline have made lately. */
export function pipelineCachePath(pipeline: string): string {
  return `${cacheFolder}pipelines/${encodeURIComponent(pipeline)}.json`;
}

export const allDurationsFolder = `${cacheFolder}durations/`;

/** How long jobs of a pipeline's nodes took that have completed. */
export function durationsFolder(pipeline: string): string {
  return `${allDurationsFolder}${encodeURIComponent(pipeline)}/`;
}

/** The files that data of one identity consists of. */
export function dataFilesPath(identity: string): string {
  return `${cacheFolder}data/${identity.replace(":", "-")}.json`;
}

/** Registered pipelines: `mlpipe/pipelines/`, or one's own folder in it. */
export function pipelineFolder(name?: string): string {
  return name === undefined ? "mlpipe/pipelines/" : `mlpipe/pipelines/${name}/`;
}

export function pipelineRecordPath(name: string, version: string): string {
  return `${pipelineFolder(name)}${version}.json`;
}

/** Who has a slot and who waits for one, where runs or jobs are limited. */
export function slotsPath(kind: "runs" | "jobs"): string {
  return `mlpipe/slots/${kind}.json`;
}

/** The workspace's own store of what jobs leave besides their outputs. */
export const artifactDatastore = "workspaceartifactstore";

/** A job's folder in that store: logs, MLflow's artifacts, `./outputs`. */
export function artifactFolder(jobName: string): string {
  return `ExperimentRun/dcid.${jobName}/`;
}

export function artifactUri(jobName: string): string {
  return `azureml://datastores/${artifactDatastore}/paths/${artifactFolder(jobName)}`;
}
