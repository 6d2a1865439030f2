// What became of an upload, told from its entry in the record and from the arrivals of its version.
import { z } from "zod";
import type { UploadEntry } from "./event-log.ts";
import type { Arrival, VersionRecord } from "./version-record.ts";

export const Fate = z.enum([
  /** It made its version whole: the run is its doing. */
  "started",
  /** It is part of a run that another upload, or a pause, started. */
  "merged",
  /** Its version is not whole yet. */
  "waiting",
  /** Written over before a run was started. */
  "replaced",
  /** The same write of the same blob, told again. */
  "duplicate",
  /** The dataset's rule leaves it alone. */
  "ignored",
  /** No run comes of it; the reason says why. */
  "refused",
  /** Its version was not whole in time. */
  "overdue",
  /** Seen by the scan, told by no event. */
  "found",
]);
export type Fate = z.infer<typeof Fate>;

export interface ToldFate {
  readonly fate: Fate;
  readonly runId?: string;
  readonly reason?: string;
}

/**
 * @param record undefined while nothing of the version has arrived
 * @param manifests path -> ETag by arrival number, as far as they are at hand
 */
export function fateOf(
  entry: UploadEntry,
  record: VersionRecord | undefined,
  manifests: ReadonlyMap<number, ReadonlyMap<string, string>>,
): ToldFate {
  if (entry.verdict !== "taken") {
    return { fate: entry.verdict, ...(entry.reason === undefined ? {} : { reason: entry.reason }) };
  }
  const { file = "", etag } = entry;
  const arrivals = record?.arrivals ?? [];
  const holding = arrivals.find(
    ({ number, readyEtag }) => manifests.get(number)?.get(file) === etag || readyEtag === etag,
  );
  if (holding !== undefined) return fateIn(holding, file, etag);
  const later = arrivals.find(({ number, time }) => time >= entry.time && manifests.get(number)?.has(file) === true);
  if (later !== undefined) {
    return {
      fate: "replaced",
      ...(later.runId === undefined ? {} : { runId: later.runId }),
      reason: "the file was written again before the run started",
    };
  }
  const last = arrivals.at(-1);
  if (last?.changedAfter?.isIgnored === true && last.changedAfter.time >= entry.time) {
    return { fate: "ignored", reason: `on_change is \`ignore\` and run ${last.runId ?? ""} has started` };
  }
  return { fate: "waiting" };
}

function fateIn({ status, runId, reason, completedBy }: Arrival, path: string, etag: string): ToldFate {
  const why = reason === undefined ? {} : { reason };
  switch (status) {
    case "starting":
    case "started": {
      const isLast = completedBy?.path === path && completedBy.etag === etag;
      return { fate: isLast ? "started" : "merged", ...(runId === undefined ? {} : { runId }) };
    }
    case "refused":
    case "overdue":
      return { fate: status, ...why };
  }
}
