// Datasets, a version and the record of events, as tables.
import type { DatasetDocument, EventDocument, VersionDocument, VersionList } from "#shared/api.ts";
import type { Fate } from "#shared/domain/dataset/fate.ts";
import type { Arrival } from "#shared/domain/dataset/version-record.ts";
import { formatBytes } from "./format-bytes.ts";
import { formatFiles } from "./format-files.ts";
import { renderTable } from "./print-table.ts";
import type { TableOptions } from "./run-table.ts";
import { type Hue, paint } from "./statuses.ts";

const fateHues = {
  started: "green",
  merged: "green",
  waiting: "yellow",
  replaced: "dim",
  duplicate: "dim",
  ignored: "dim",
  refused: "red",
  overdue: "red",
  found: "yellow",
} as const satisfies Record<Fate, Hue>;

const arrivalHues = { starting: "cyan", started: "green", refused: "red", overdue: "red" } as const satisfies Record<
  Arrival["status"],
  Hue
>;

const rules = ["files", "ready", "quiet_period", "minimum_files"] as const;

export function renderDatasetList(datasets: readonly DatasetDocument[], { colors, width }: TableOptions): string {
  const rows = datasets.map(({ name, source, declaration, issues }) => [
    name,
    issues.length === 0 ? paint(colors, "green", "ok") : paint(colors, "red", "not valid"),
    source,
    text(declaration["path"]),
    describeRule(declaration),
    text(declaration["pipeline"]),
  ]);
  return renderTable(["DATASET", "STATUS", "SOURCE", "PATH", "WHOLE WHEN", "PIPELINE"], rows, width);
}

function describeRule(declaration: DatasetDocument["declaration"]): string {
  return rules
    .flatMap((rule) => {
      const value = declaration[rule];
      if (value === undefined) return [];
      if (Array.isArray(value)) return [value.length > 3 ? `${value.length} files` : value.map(String).join(" ")];
      return [rule === "ready" ? text(value) : `${rule} ${text(value)}`];
    })
    .join(" + ");
}

export function renderVersionList({ versions }: VersionList, { colors, width }: TableOptions): string {
  const rows = versions.map(({ version, arrivals, status, time, runId = "" }) => [
    version,
    paint(colors, status === "started" ? "green" : "red", status),
    String(arrivals),
    toSecond(time),
    runId,
  ]);
  return renderTable(["VERSION", "STATUS", "ARRIVALS", "TIME", "RUN"], rows, width);
}

/** What has arrived, what is waited for, and the files that the latest run was given. */
export function renderVersion(document: VersionDocument, { colors, width }: TableOptions): string {
  const { dataset, version, uri, arrivals, waiting, files } = document;
  const lines = [`${dataset}  ${version}`, uri];
  if (waiting !== undefined) {
    const missing =
      waiting.missing.length === 0 ? "it is being looked at" : `it waits for ${waiting.missing.join(", ")}`;
    lines.push(paint(colors, "yellow", `${formatFiles(waiting.files)} there; ${missing}`));
  }
  if (arrivals.length > 0) {
    const rows = arrivals.map((arrival) => [
      String(arrival.number),
      paint(colors, arrivalHues[arrival.status], arrival.status),
      toSecond(arrival.time),
      `${formatFiles(arrival.files)}, ${formatBytes(arrival.bytes)}`,
      [arrival.runId, describeArrival(arrival)].filter((part) => part !== undefined && part !== "").join(": "),
    ]);
    lines.push("", renderTable(["ARRIVAL", "STATUS", "TIME", "DATA", "RUN, OR WHY NONE"], rows, width));
  }
  if (files.length > 0) {
    const rows = files.map(({ path, size, etag }) => [path, formatBytes(size), etag]);
    lines.push("", renderTable(["FILE", "SIZE", "ETAG"], rows, width));
  }
  return lines.join("\n");
}

function describeArrival({ reason, changedAfter }: Arrival): string {
  if (changedAfter === undefined) return reason ?? "";
  const { files, count, isIgnored } = changedAfter;
  const what = count === 1 ? (files[0] ?? "a file") : `${count} files`;
  return `${what} changed after the start${isIgnored ? ", ignored by rule" : ""}`;
}

export function renderEvents(events: readonly EventDocument[], { colors, width }: TableOptions): string {
  // A screen has no room for the year of what is kept for weeks.
  const toTime = (time: string) => toSecond(time).slice(width === undefined ? 0 : 5);
  const rows = events.map(({ time, fate, dataset = "", version = "", file, files, runId, reason }) => [
    toTime(time),
    paint(colors, fateHues[fate], fate),
    dataset,
    version,
    file ?? (files === undefined ? "" : formatFiles(files)),
    runId === undefined ? (reason ?? "") : `${runId}${reason === undefined ? "" : ` (${reason})`}`,
  ]);
  return renderTable(["TIME", "FATE", "DATASET", "VERSION", "FILE", "RUN, OR WHY NONE"], rows, width);
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** `2026-01-05 10:00:00` UTC. */
function toSecond(time: string): string {
  return time.slice(0, 19).replace("T", " ");
}
