// Registered models, the versions of one, and where a version comes from.
import type { ModelDocument, ModelList, ModelVersionDocument } from "#shared/api.ts";
import { renderTable } from "./print-table.ts";
import type { TableOptions } from "./run-table.ts";
import { paint } from "./statuses.ts";
import { formatValue } from "./summarize-metrics.ts";

export function renderModelList(models: ModelList["models"], { colors, width }: TableOptions): string {
  const rows = models.map(({ name, latestVersion = "", versions, champions }) => [
    name,
    String(versions),
    latestVersion,
    Object.entries(champions)
      .map(([stage, version]) => paint(colors, "green", `${stage} ${version}`))
      .join(", "),
  ]);
  return renderTable(["MODEL", "VERSIONS", "NEWEST", "STAGES"], rows, width);
}

export function renderModelVersions({ versions }: ModelDocument, options: TableOptions): string {
  const rows = versions.map((model) => [
    `${model.name}:${model.version}`,
    stageOf(model, options),
    summarize(model.metrics),
    model.runId ?? "",
    toMinute(model.createdTime),
    model.approvedBy ?? "",
  ]);
  return renderTable(["MODEL", "STAGE", "METRICS", "RUN", "REGISTERED", "APPROVED BY"], rows, options.width);
}

function stageOf({ stage = "", isChampion }: ModelVersionDocument, { colors }: TableOptions): string {
  return paint(colors, isChampion ? "green" : "dim", stage);
}

const shownMetrics = 2;

function summarize(metrics: ModelVersionDocument["metrics"]): string {
  const entries = Object.entries(metrics);
  const shown = entries.slice(0, shownMetrics).map(([name, value]) => `${shortName(name)} ${formatValue(value)}`);
  return entries.length > shownMetrics ? `${shown.join(", ")}, …` : shown.join(", ");
}

/** Without the node that measured it. */
const shortName = (name: string) => name.slice(name.indexOf(".") + 1);

export function renderModelVersion(model: ModelVersionDocument, options: TableOptions): string {
  const { name, version, type, uri, runId, pipeline, jobName, createdTime, approvedBy, metrics, properties } = model;
  const prefix = "mlpipe.";
  const lineage = (kind: string) =>
    Object.entries(properties).flatMap(([key, value]): [string, string][] =>
      key.startsWith(`${prefix}${kind}.`) ? [[key.slice(prefix.length + kind.length + 1), value]] : [],
    );
  const facts: [string, string | undefined][] = [
    ["Stage", stageOf(model, options)],
    ["Type", type],
    ["Files", uri],
    ["Run", runId === undefined ? undefined : `${runId}${pipeline === undefined ? "" : ` of ${pipeline}`}`],
    ["Job", jobName],
    ["Code", properties["mlpipe.code"]],
    ["Registered", toMinute(createdTime)],
    ["Approved by", approvedBy],
    ...lineage("input").map(([input, data]): [string, string] => [`Data ${input}`, data]),
    ...lineage("key").map(([node, key]): [string, string] => [`Key of ${node}`, key]),
    ...Object.entries(metrics).map(([metric, value]): [string, string] => [metric, formatValue(value)]),
  ];
  const known = facts.flatMap(([label, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[label, value]],
  );
  const width = Math.max(...known.map(([label]) => label.length)) + 2;
  return [`${name}:${version}`, ...known.map(([label, value]) => `${label.padEnd(width)}${value}`)].join("\n");
}

function toMinute(time: string | undefined): string {
  return time === undefined ? "" : `${time.slice(0, 16).replace("T", " ")}Z`;
}
