import type { Experiment, RunData, TrackedRun } from "./mlflow.ts";
import type { Metric } from "./mlflow-schema.ts";

/** Where a run's artifacts are as MLflow clients see them. */
export function artifactUri({ experimentId, runId }: TrackedRun): string {
  return `mlflow-artifacts:/${experimentId}/${runId}/artifacts`;
}

/** JSON has no NaN and no infinities: they travel as text. */
export function toMetricAnswer({ key, value, timestamp, step }: Metric): unknown {
  return { key, value: Number.isFinite(value) ? value : String(value), timestamp, step };
}

export function toRunInfo(run: TrackedRun): Record<string, unknown> {
  return {
    run_id: run.runId,
    run_uuid: run.runId,
    run_name: run.runName,
    experiment_id: run.experimentId,
    user_id: run.userId,
    status: run.status,
    start_time: run.startMs,
    ...(run.endMs === null ? {} : { end_time: run.endMs }),
    artifact_uri: artifactUri(run),
    lifecycle_stage: run.isDeleted ? "deleted" : "active",
  };
}

export function toRunAnswer(run: TrackedRun, data: RunData): unknown {
  return {
    info: toRunInfo(run),
    data: { metrics: data.metrics.map(toMetricAnswer), params: data.params, tags: data.tags },
    inputs: { dataset_inputs: data.datasets },
  };
}

export function toExperimentAnswer(experiment: Experiment): unknown {
  return {
    experiment_id: experiment.experimentId,
    name: experiment.name,
    artifact_location: `mlflow-artifacts:/${experiment.experimentId}`,
    lifecycle_stage: "active",
    creation_time: experiment.createdMs,
    last_update_time: experiment.updatedMs,
    tags: Object.entries(experiment.tags).map(([key, value]) => ({ key, value })),
  };
}
