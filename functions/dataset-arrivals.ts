// Decides a dataset's version and starts its run. All of it may be done twice, by two at once, and may stop anywhere: what is
// decided is written down first, guarded by the record's ETag, and the run's id is made of what is written there.
import type { DurableClient } from "durable-functions";
import { type Dataset, inputsFor } from "#shared/domain/dataset/dataset.ts";
import { fingerprintOf } from "#shared/domain/dataset/fingerprint.ts";
import {
  dataFiles,
  type FoundFile,
  judgeVersion,
  type LastArrival,
  lastOf,
  type Verdict,
} from "#shared/domain/dataset/judge.ts";
import type { DatasetPlace } from "#shared/domain/dataset/place.ts";
import { type Arrival, keptArrivals, type VersionRecord, withChanges } from "#shared/domain/dataset/version-record.ts";
import { derivedRunId } from "#shared/domain/run-id.ts";
import { isMlpipeError, MlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { DatasetVersions, StoredRecord } from "./dataset-versions.ts";
import type { Datasets } from "./datasets.ts";
import type { EventLog } from "./event-log.ts";
import type { NamedPipeline } from "./named-pipeline.ts";
import type { StartRun } from "./start-run.ts";

export interface VersionName {
  readonly dataset: string;
  readonly version: string;
}

export type Advance =
  /** Nothing to wait for: all that lies there is dealt with, or the dataset is gone. */
  | { kind: "done" }
  /** An arrival is decided; there may be more to do. */
  | { kind: "arrived"; runId?: string }
  | { kind: "waiting"; missing: string[]; files: number; until: string };

export type DatasetArrivals = ReturnType<typeof createDatasetArrivals>;

export interface ArrivalClients {
  readonly datasets: Datasets;
  readonly versions: DatasetVersions;
  readonly events: EventLog;
  /** A pipeline by its name. */
  readonly loadPipeline: (name: string) => Promise<NamedPipeline>;
  readonly startRun: StartRun;
  readonly log: Log;
}

type KnownDataset = Dataset & { readonly place: DatasetPlace };

interface Look {
  readonly dataset: KnownDataset;
  readonly version: string;
  readonly found: readonly FoundFile[];
  readonly stored: StoredRecord | undefined;
}

export function createDatasetArrivals({ datasets, versions, events, loadPipeline, startRun, log }: ArrivalClients) {
  async function look(dataset: KnownDataset, version: string): Promise<Look> {
    const [found, stored] = await Promise.all([versions.files(dataset, version), versions.read(dataset.name, version)]);
    return { dataset, version, found, stored };
  }

  async function lastArrival({ dataset, version, stored }: Look): Promise<LastArrival | undefined> {
    const last = stored?.record.arrivals.at(-1);
    if (last === undefined) return undefined;
    const files = await versions.manifest(dataset.name, version, last.number);
    return {
      isStarted: last.status === "started",
      manifest: new Map(files.map(({ path, etag }) => [path, etag])),
      readyEtag: last.readyEtag,
    };
  }

  async function recordOf({ dataset, version, stored }: Look): Promise<VersionRecord> {
    if (stored !== undefined) return stored.record;
    return { dataset: dataset.name, version, uri: await versions.uriOf(dataset, version), arrivals: [] };
  }

  /** Writes the arrival that begins here into the record, behind the changes that the one before has seen. */
  async function append(at: Look, arrival: Arrival, changed: readonly FoundFile[], isSettled: boolean): Promise<void> {
    const record = await recordOf(at);
    const arrivals = record.arrivals.map((one, index) =>
      index === record.arrivals.length - 1 && one.status === "started" && changed.length > 0
        ? withChanges(one, { paths: changed.map(({ path }) => path), time: arrival.time, isIgnored: false })
        : one,
    );
    const written = { ...record, arrivals: [...arrivals, arrival].slice(-keptArrivals) };
    await versions.write(written, at.stored?.etag, isSettled ? at.found : undefined);
  }

  async function toArrival(
    at: Look,
    { files, ready }: { files: readonly FoundFile[]; ready?: FoundFile | undefined },
    about: Pick<Arrival, "status" | "cause"> & { missing: readonly string[] },
  ): Promise<Arrival> {
    const number = (at.stored?.record.arrivals.at(-1)?.number ?? 0) + 1;
    const manifest = await fingerprintOf(files);
    await versions.writeManifest(at.dataset.name, at.version, number, files);
    const { status, cause, missing } = about;
    const last = lastOf(ready === undefined ? files : [...files, ready]);
    return {
      number,
      status,
      cause,
      time: new Date().toISOString(),
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      manifest,
      ...(cause === "whole" && status === "starting" && last !== undefined
        ? { completedBy: { path: last.path, etag: last.etag } }
        : {}),
      ...(ready === undefined ? {} : { readyEtag: ready.etag }),
      ...(status === "starting"
        ? { runId: await derivedRunId("dataset", JSON.stringify([at.dataset.name, at.version, number, manifest])) }
        : {}),
      ...(missing.length === 0 ? {} : { reason: `missing: ${missing.join(", ")}` }),
    };
  }

  /** Starts the run of an arrival that is written down. A pipeline that will not take it makes the arrival a refused one. */
  async function start(
    client: DurableClient,
    at: Look,
    { record, etag }: StoredRecord,
    arrival: Arrival,
  ): Promise<Advance> {
    const { dataset, version } = at;
    const { runId } = arrival;
    if (runId === undefined) throw new Error(`arrival ${arrival.number} of ${dataset.name} ${version} has no run`);
    let ended: Arrival = { ...arrival, status: "started" };
    try {
      await startRun.startAs(client, runId, async () => {
        const pipeline = await loadPipeline(dataset.pipeline);
        return {
          ...pipeline,
          inputs: inputsFor(dataset, version, record.uri),
          displayName: `${dataset.name} ${version}`,
          tags: {
            ...dataset.tags,
            "mlpipe.dataset": dataset.name,
            "mlpipe.dataset_version": version,
            "mlpipe.arrival": String(arrival.number),
            "mlpipe.manifest": arrival.manifest,
          },
        };
      });
    } catch (error) {
      if (!isMlpipeError(error) || error.code === "Unavailable" || error.code === "Internal") throw error;
      const { runId: _none, ...rest } = arrival;
      ended = { ...rest, status: "refused", reason: error.message };
    }
    // The files may have changed since they were listed for the arrival: only a new look can say that all is dealt with.
    const arrivals = record.arrivals.map((one) => (one.number === arrival.number ? ended : one));
    await versions.write({ ...record, arrivals }, etag, undefined);
    await note(at, ended);
    log.info({ dataset: dataset.name, version, runId, status: ended.status }, "dataset version arrived");
    return { kind: "arrived", ...(ended.status === "started" ? { runId } : {}) };
  }

  async function note(
    { dataset, version }: Look,
    { number, status, time, files, runId, reason }: Arrival,
  ): Promise<void> {
    if (status === "starting") return;
    const about = { ...(runId === undefined ? {} : { runId }), ...(reason === undefined ? {} : { reason }) };
    await events.note({ kind: "arrival", time, dataset: dataset.name, version, number, status, files, ...about });
  }

  async function begin(
    client: DurableClient,
    at: Look,
    arrival: Arrival,
    changed: readonly FoundFile[],
  ): Promise<Advance> {
    await append(at, arrival, changed, false);
    const stored = await versions.read(at.dataset.name, at.version);
    if (stored === undefined) throw new Error(`the record of ${at.dataset.name} ${at.version} is gone`);
    return start(client, at, stored, arrival);
  }

  /** Files that are dealt with are said so in the record, so that the scan passes them over. */
  async function settle(at: Look, verdict: Extract<Verdict, { kind: "settled" | "ignored" }>): Promise<Advance> {
    if (at.stored === undefined) return { kind: "done" };
    const { record, etag } = at.stored;
    const last = record.arrivals.at(-1);
    if (verdict.kind === "ignored" && last !== undefined) {
      const paths = verdict.changed.map(({ path }) => path);
      const noted = withChanges(last, { paths, time: new Date().toISOString(), isIgnored: true });
      await versions.write({ ...record, arrivals: [...record.arrivals.slice(0, -1), noted] }, etag, at.found);
    } else await versions.write(record, etag, at.found);
    return { kind: "done" };
  }

  return {
    /**
     * Looks at a version and does what is due.
     *
     * @throws MlpipeError `Unavailable` when it must be tried again
     */
    async advance(client: DurableClient, { dataset: name, version }: VersionName): Promise<Advance> {
      const dataset = await datasets.find(name);
      if (dataset === undefined) return { kind: "done" };
      const at = await look(dataset, version);
      const unfinished = at.stored?.record.arrivals.at(-1);
      if (at.stored !== undefined && unfinished?.status === "starting") return start(client, at, at.stored, unfinished);
      const verdict = judgeVersion(dataset, at.found, await lastArrival(at), Date.now());
      switch (verdict.kind) {
        case "settled":
        case "ignored":
          return settle(at, verdict);
        case "waiting": {
          const until = new Date(Math.min(verdict.until, Date.now() + 3_600_000)).toISOString();
          return { kind: "waiting", missing: verdict.missing.slice(0, 10), files: verdict.files, until };
        }
        case "overdue": {
          const { missing } = verdict;
          const arrival = await toArrival(at, verdict, { status: "overdue", cause: "timeout", missing });
          await append(at, arrival, [], true);
          await note(at, arrival);
          return { kind: "arrived" };
        }
        case "whole": {
          const { cause, missing, changed } = verdict;
          return begin(client, at, await toArrival(at, verdict, { status: "starting", cause, missing }), changed);
        }
      }
    },

    /**
     * Starts a run for a version as it lies there now, whatever its rule says.
     *
     * @throws MlpipeError `NotFound` when the version has no file; `InvalidRequest` when the pipeline will not take it
     */
    async startNow(client: DurableClient, { dataset: name, version }: VersionName): Promise<string> {
      const { dataset, issues } = await datasets.get(name);
      if (dataset === undefined) throw new MlpipeError("InvalidRequest", `Dataset ${name} is not valid`, { issues });
      const at = await look(dataset, version);
      const files = dataFiles(dataset, at.found);
      if (files.length === 0)
        throw new MlpipeError("NotFound", `Version ${version} of ${name} has no file that counts`);
      const ready = at.found.find(({ path }) => path === dataset.ready);
      const unfinished = at.stored?.record.arrivals.at(-1);
      const result =
        at.stored !== undefined && unfinished?.status === "starting"
          ? await start(client, at, at.stored, unfinished)
          : await begin(
              client,
              at,
              await toArrival(at, { files, ready }, { status: "starting", cause: "request", missing: [] }),
              [],
            );
      if (result.kind === "arrived" && result.runId !== undefined) return result.runId;
      const refused = (await versions.read(name, version))?.record.arrivals.at(-1);
      throw new MlpipeError(
        "InvalidRequest",
        refused?.reason ?? `Pipeline ${dataset.pipeline} does not take this dataset`,
      );
    },
  };
}
