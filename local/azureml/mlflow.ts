// Experiments and runs: what jobs log, kept beside the jobs themselves.
import { randomUUID } from "node:crypto";
import { MlflowError } from "./mlflow-error.ts";
import type { Metric, Param, RunStatus, Tag } from "./mlflow-schema.ts";
import type { Store } from "./store.ts";

export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface TrackedRun {
  readonly seq: number;
  readonly runId: string;
  readonly experimentId: string;
  readonly runName: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly isDeleted: boolean;
  /** Job whose token made the run; that job may write to it. */
  readonly owner: string | null;
}

export interface RunData {
  /** Last value of each metric. */
  readonly metrics: readonly Metric[];
  readonly params: readonly Param[];
  readonly tags: readonly Tag[];
  readonly datasets: readonly unknown[];
}

interface NewRun {
  readonly runId: string;
  readonly experimentId: string;
  readonly runName: string;
  readonly userId?: string;
  readonly status?: RunStatus;
  readonly startMs?: number;
  readonly owner?: string;
  readonly tags?: readonly Tag[];
}

export interface Tracking {
  ensureExperiment(name: string, tags?: readonly Tag[]): Experiment;
  findExperiment(by: { readonly experimentId: string } | { readonly name: string }): Experiment | undefined;
  experiments(): Experiment[];
  createRun(run: NewRun): TrackedRun;
  /** The run of a job, named as the job is; made before its process starts. */
  startJobRun(run: { readonly runId: string; readonly experimentId: string; readonly runName: string }): void;
  /** @throws MlflowError `RESOURCE_DOES_NOT_EXIST`. */
  run(runId: string): TrackedRun;
  runs(experimentIds: readonly string[]): TrackedRun[];
  data(runId: string): RunData;
  /** A page of a metric's points in the order they were logged. */
  history(runId: string, key: string, after: number, limit: number): (Metric & { readonly id: number })[];
  updateRun(
    runId: string,
    change: { status?: RunStatus | undefined; endMs?: number | undefined; runName?: string | undefined },
  ): TrackedRun;
  setRunStatus(runId: string, status: RunStatus): void;
  endRun(runId: string, jobStatus: "Completed" | "Failed" | "Canceled"): void;
  setDeleted(runId: string, isDeleted: boolean): void;
  /** Removes the run and all it logged. */
  deleteRun(runId: string): void;
  /**
   * Metrics are appended, tags overwritten, params written once; all of it or nothing.
   * @throws MlflowError when a param is already there with another value.
   */
  log(runId: string, batch: { metrics?: readonly Metric[]; params?: readonly Param[]; tags?: readonly Tag[] }): void;
  deleteTag(runId: string, key: string): void;
  logDatasets(runId: string, datasets: readonly unknown[]): void;
}

interface RunRow extends Omit<TrackedRun, "isDeleted"> {
  readonly isDeleted: number;
}
interface MetricRow {
  readonly id: number;
  readonly key: string;
  readonly value: number | null;
  readonly timestampMs: number;
  readonly step: number;
}

const endStatuses = { Completed: "FINISHED", Failed: "FAILED", Canceled: "KILLED" } as const;

function toRun(row: RunRow): TrackedRun {
  return { ...row, isDeleted: row.isDeleted === 1 };
}

// SQLite has no NaN: it stores null.
function toMetric({ id, key, value, timestampMs, step }: MetricRow): Metric & { readonly id: number } {
  return { id, key, value: value ?? Number.NaN, timestamp: timestampMs, step };
}

export function createTracking(store: Store): Tracking {
  const findExperiment: Tracking["findExperiment"] = (by) => {
    const [column, value] = "name" in by ? ["name", by.name] : ["experimentId", by.experimentId];
    const row = store.get<Omit<Experiment, "tags"> & { tags: string }>(
      `SELECT * FROM experiments WHERE ${column} = ?`,
      value,
    );
    return row === undefined ? undefined : { ...row, tags: JSON.parse(row.tags) };
  };
  const run = (runId: string): TrackedRun => {
    const row = store.get<RunRow>("SELECT * FROM runs WHERE runId = ?", runId);
    if (row === undefined) throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `Run with id=${runId} not found`);
    return toRun(row);
  };

  const tracking: Tracking = {
    ensureExperiment(name, tags = []) {
      const now = Date.now();
      store.run(
        "INSERT OR IGNORE INTO experiments (experimentId, name, tags, createdMs, updatedMs) VALUES (?1, ?2, ?3, ?4, ?4)",
        randomUUID(),
        name,
        JSON.stringify(Object.fromEntries(tags.map(({ key, value }) => [key, value]))),
        now,
      );
      const experiment = findExperiment({ name });
      if (experiment === undefined) throw new Error(`experiment ${name} was not written`);
      return experiment;
    },
    findExperiment,
    experiments: () =>
      store
        .all<Omit<Experiment, "tags"> & { tags: string }>("SELECT * FROM experiments ORDER BY createdMs DESC")
        .map((row) => ({ ...row, tags: JSON.parse(row.tags) })),
    createRun({ runId, experimentId, runName, userId = "", status = "RUNNING", startMs, owner, tags = [] }) {
      return store.transaction(() => {
        store.run(
          "INSERT INTO runs (runId, experimentId, runName, userId, status, startMs, owner) VALUES (?, ?, ?, ?, ?, ?, ?)",
          runId,
          experimentId,
          runName,
          userId,
          status,
          startMs ?? Date.now(),
          owner ?? null,
        );
        tracking.log(runId, { tags: [{ key: "mlflow.runName", value: runName }, ...tags] });
        return run(runId);
      });
    },
    startJobRun({ runId, experimentId, runName }) {
      tracking.createRun({
        runId,
        experimentId,
        runName,
        status: "SCHEDULED",
        owner: runId,
        tags: [{ key: "mlflow.rootRunId", value: runId }],
      });
    },
    run,
    runs: (experimentIds) =>
      store
        .all<RunRow>(
          "SELECT * FROM runs WHERE experimentId IN (SELECT value FROM json_each(?)) ORDER BY seq DESC",
          JSON.stringify(experimentIds),
        )
        .map(toRun),
    data(runId) {
      const metrics = store
        .all<MetricRow>(
          `SELECT id, key, value, timestampMs, step FROM (
             SELECT *, row_number() OVER (PARTITION BY key ORDER BY step DESC, timestampMs DESC, id DESC) AS place FROM metrics WHERE runId = ?)
           WHERE place = 1 ORDER BY key`,
          runId,
        )
        .map(toMetric);
      return {
        metrics,
        params: store.all<Param>("SELECT key, value FROM params WHERE runId = ? ORDER BY key", runId),
        tags: store.all<Tag>("SELECT key, value FROM tags WHERE runId = ? ORDER BY key", runId),
        datasets: store
          .all<{ dataset: string }>("SELECT dataset FROM runInputs WHERE runId = ? ORDER BY id", runId)
          .map(({ dataset }): unknown => JSON.parse(dataset)),
      };
    },
    history: (runId, key, after, limit) =>
      store
        .all<MetricRow>(
          "SELECT * FROM metrics WHERE runId = ? AND key = ? AND id > ? ORDER BY id LIMIT ?",
          runId,
          key,
          after,
          limit,
        )
        .map(toMetric),
    updateRun(runId, { status, endMs, runName }) {
      run(runId);
      store.run(
        "UPDATE runs SET status = coalesce(?, status), endMs = coalesce(?, endMs), runName = coalesce(?, runName) WHERE runId = ?",
        status ?? null,
        endMs ?? null,
        runName ?? null,
        runId,
      );
      if (runName !== undefined) tracking.log(runId, { tags: [{ key: "mlflow.runName", value: runName }] });
      return run(runId);
    },
    setRunStatus(runId, status) {
      store.run("UPDATE runs SET status = ? WHERE runId = ?", status, runId);
    },
    endRun(runId, jobStatus) {
      store.run("UPDATE runs SET status = ?, endMs = ? WHERE runId = ?", endStatuses[jobStatus], Date.now(), runId);
    },
    setDeleted(runId, isDeleted) {
      run(runId);
      store.run("UPDATE runs SET isDeleted = ? WHERE runId = ?", isDeleted ? 1 : 0, runId);
    },
    deleteRun(runId) {
      for (const table of ["runs", "metrics", "params", "tags", "runInputs"])
        store.run(`DELETE FROM ${table} WHERE runId = ?`, runId);
    },
    log(runId, { metrics = [], params = [], tags = [] }) {
      store.transaction(() => {
        run(runId);
        for (const { key, value } of params) {
          store.run("INSERT OR IGNORE INTO params (runId, key, value) VALUES (?, ?, ?)", runId, key, value);
          const kept = store.get<{ value: string }>(
            "SELECT value FROM params WHERE runId = ? AND key = ?",
            runId,
            key,
          )?.value;
          if (kept !== value) {
            throw new MlflowError(
              "INVALID_PARAMETER_VALUE",
              `Changing param values is not allowed. Param with key='${key}' was already logged with value='${kept}' for run ID='${runId}'. Attempted logging new value '${value}'.`,
            );
          }
        }
        for (const { key, value, timestamp, step } of metrics) {
          store.run(
            "INSERT INTO metrics (runId, key, value, timestampMs, step) VALUES (?, ?, ?, ?, ?)",
            runId,
            key,
            value,
            timestamp,
            step,
          );
        }
        for (const { key, value } of tags) {
          store.run(
            "INSERT INTO tags (runId, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            runId,
            key,
            value,
          );
        }
      });
    },
    deleteTag(runId, key) {
      const { changes } = store.run("DELETE FROM tags WHERE runId = ? AND key = ?", run(runId).runId, key);
      if (changes === 0)
        throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `No tag with name: ${key} in run with id ${runId}`);
    },
    logDatasets(runId, datasets) {
      store.transaction(() => {
        run(runId);
        for (const dataset of datasets)
          store.run("INSERT INTO runInputs (runId, dataset) VALUES (?, ?)", runId, JSON.stringify(dataset));
      });
    },
  };
  return tracking;
}
