// What is remembered of a dataset's version: its arrivals. Kept as one blob per version; the lists of files are blobs beside it.
import { z } from "zod";

const ArrivalStatus = z.enum([
  /** Its files are written down, its run is being started. */
  "starting",
  "started",
  /** No run: the pipeline would not take it. */
  "refused",
  /** No run: it was not whole in time. */
  "overdue",
]);

export const Arrival = z.object({
  /** Counts from 1. */
  number: z.number().int().positive(),
  status: ArrivalStatus,
  /** ISO 8601. */
  time: z.string(),
  cause: z.enum(["whole", "timeout", "request"]),
  files: z.number().int(),
  bytes: z.number(),
  /** SHA-256 over the files' paths, ETags and sizes. */
  manifest: z.string(),
  /** The upload that made it whole. */
  completedBy: z.object({ path: z.string(), etag: z.string() }).optional(),
  readyEtag: z.string().optional(),
  runId: z.string().optional(),
  /** Why there is no run, or what was missing when it started anyway. */
  reason: z.string().optional(),
  /** Files written after the run was started: it may have read either content. */
  changedAfter: z
    .object({
      files: z.array(z.string()),
      count: z.number().int(),
      time: z.string(),
      /** They start no run, by the dataset's rule. */
      isIgnored: z.boolean(),
    })
    .optional(),
});
export type Arrival = z.infer<typeof Arrival>;

export const VersionRecord = z.object({
  dataset: z.string(),
  version: z.string(),
  uri: z.string(),
  /** Oldest first; only the latest are kept. */
  arrivals: z.array(Arrival),
});
export type VersionRecord = z.infer<typeof VersionRecord>;

/** Arrivals that a record keeps. */
export const keptArrivals = 50;

export const ManifestFile = z.object({ path: z.string(), etag: z.string(), size: z.number(), modified: z.number() });
export type ManifestFile = z.infer<typeof ManifestFile>;

/** Names of changed files that an arrival keeps. */
const keptNames = 20;

/** Notes at `arrival` that files were written after its run was started. */
export function withChanges(
  arrival: Arrival,
  { paths, time, isIgnored }: { paths: readonly string[]; time: string; isIgnored: boolean },
): Arrival {
  const files = [...new Set([...(arrival.changedAfter?.files ?? []), ...paths])];
  const count = Math.max(files.length, arrival.changedAfter?.count ?? 0);
  return { ...arrival, changedAfter: { files: files.slice(0, keptNames), count, time, isIgnored } };
}

const root = "mlpipe/arrivals/";

/** Where the records of a dataset's versions lie; a record's name is its version. */
export function recordFolder(dataset: string): string {
  return `${root}${dataset}/versions/`;
}

export function recordPath(dataset: string, version: string): string {
  return `${recordFolder(dataset)}${version}.json`;
}

export function manifestPath(dataset: string, version: string, number: number): string {
  return `${root}${dataset}/manifests/${version}/${number}.json`;
}

/** Written once, when the app sees the dataset for the first time: what lay there before is no arrival. */
export function sincePath(dataset: string): string {
  return `${root}${dataset}/since.json`;
}

/** Registrations sent to the API; `datasets/<name>.yml` of the app's own folder is not among them. */
export const declarationFolder = "mlpipe/datasets/";

export function declarationPath(dataset: string): string {
  return `${declarationFolder}${dataset}.json`;
}

/** Name of the record's metadata that holds the fingerprint of the files it has dealt with. */
export const settledKey = "settled";
