// What the API says of datasets, their versions and the uploads into them.
import { z } from "zod";
import { IssueDocument } from "../issue-document.ts";
import { Fate } from "./fate.ts";
import { Arrival, ManifestFile } from "./version-record.ts";

export const DatasetDocument = z.object({
  name: z.string(),
  /** A file of the app, or a registration sent to the API. */
  source: z.enum(["deployed", "registered"]),
  /** As it was written; what the YAML file holds. */
  declaration: z.record(z.string(), z.unknown()),
  /** What keeps it from working; empty when it works. */
  issues: z.array(IssueDocument),
});
export type DatasetDocument = z.infer<typeof DatasetDocument>;

export const DatasetList = z.object({ datasets: z.array(DatasetDocument) });
export type DatasetList = z.infer<typeof DatasetList>;

/** `PUT /api/datasets/{name}`: the declaration (JSON, or its YAML text). */
export const PutDatasetRequest = z.strictObject({
  dataset: z.union([z.string(), z.record(z.string(), z.unknown())]),
});
export type PutDatasetRequest = z.infer<typeof PutDatasetRequest>;

export const VersionDocument = z.object({
  dataset: z.string(),
  version: z.string(),
  uri: z.string(),
  /** Oldest first. */
  arrivals: z.array(Arrival),
  /** Set while a run is to come: what it waits for, in words. */
  waiting: z.object({ missing: z.array(z.string()), files: z.number().int() }).optional(),
  /** Files that the latest arrival took, at most 1,000. */
  files: z.array(ManifestFile),
});
export type VersionDocument = z.infer<typeof VersionDocument>;

export const VersionList = z.object({
  versions: z.array(
    z.object({
      version: z.string(),
      arrivals: z.number().int(),
      status: z.string(),
      time: z.string(),
      runId: z.string().optional(),
    }),
  ),
  nextLink: z.string().optional(),
});
export type VersionList = z.infer<typeof VersionList>;

/** Where to put the files of a version. */
export const DatasetUploadAnswer = z.object({
  uri: z.string(),
  /** PUT each file as a block blob to `{url}/{path}?{sas}`. */
  url: z.string(),
  sas: z.string(),
  expires: z.string(),
});
export type DatasetUploadAnswer = z.infer<typeof DatasetUploadAnswer>;

export const EventDocument = z.object({
  kind: z.enum(["upload", "arrival", "found"]),
  /** ISO 8601: when the blob was committed, the arrival decided, the version found. */
  time: z.string(),
  fate: Fate,
  dataset: z.string().optional(),
  version: z.string().optional(),
  /** The uploaded file: in its version's folder when it belongs to a dataset, else in the container. */
  file: z.string().optional(),
  size: z.number().optional(),
  files: z.number().int().optional(),
  runId: z.string().optional(),
  reason: z.string().optional(),
});
export type EventDocument = z.infer<typeof EventDocument>;

export const EventList = z.object({ events: z.array(EventDocument), nextLink: z.string().optional() });
export type EventList = z.infer<typeof EventList>;
