// One run, and a list of runs, as tables.
import { type RunDocument, type RunSummary, nodeStatusFacts, runStatusFacts } from "#shared/domain/run.ts";
import type { RunProgress } from "../follow-run.ts";
import type { Colors } from "../terminal.ts";
import type { z } from "zod";
import { describeAssets } from "./describe-assets.ts";
import { describeAttempts, describeMachine, describePhase, elapsedSeconds } from "./describe-node.ts";
import { chooseNodes, describeHidden } from "./fold-nodes.ts";
import { formatDuration, secondsBetween } from "./format-duration.ts";
import { describeCost, describeSpent } from "./describe-cost.ts";
import { renderTable } from "./print-table.ts";
import { describePromotion } from "./promotion.ts";
import { runSeconds } from "./run-seconds.ts";
import { nodeLooks, paint, runHues } from "./statuses.ts";
import { summarizeMetrics } from "./summarize-metrics.ts";

export interface TableOptions {
  readonly colors: Colors;
  readonly width: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Nodes that are shown of a run with more; all when absent. */
  readonly mostNodes?: number;
}

function renderNodes({ document, metrics }: RunProgress, options: TableOptions): string {
  const { colors, width, now, mostNodes = Infinity } = options;
  const shown = chooseNodes(document.nodes, mostNodes);
  const hidden = describeHidden(document.nodes, shown);
  const rows = shown.map((node) => {
    const { symbol, hue } = nodeLooks[node.status];
    const elapsed = elapsedSeconds(node, now);
    const logged = metrics.get(node.name);
    const values = logged === undefined ? "" : summarizeMetrics(logged);
    return [
      paint(colors, hue, `${symbol} ${node.name}`),
      paint(colors, hue, node.status),
      elapsed === undefined ? "" : formatDuration(elapsed),
      describeSpent(node.cost),
      node.attempt > 1 ? String(node.attempt) : "",
      node.failure?.reason ?? describePhase(node, values !== "") ?? withSource(node, values),
      describeMachine(node) ?? "",
    ];
  });
  const table = renderTable(["NODE", "STATUS", "TIME", "COST", "ATTEMPT", "NOTE", "MACHINE"], rows, width);
  return hidden === undefined ? table : `${table}\n${colors.dim(`${hidden} (--all shows them)`)}`;
}

/** Of a reused node, whose numbers they are. */
function withSource({ reusedFrom }: RunDocument["nodes"][number], values: string): string {
  if (reusedFrom === undefined) return values;
  return `from run ${reusedFrom.runId}${values === "" ? "" : `: ${values}`}`;
}

/** A heading of two or three lines, then the nodes. */
export function renderRun(progress: RunProgress, options: TableOptions): string {
  const { document } = progress;
  const { colors, now } = options;
  const done = document.nodes.filter((node) => nodeStatusFacts[node.status].isSuccess).length;
  const status = paint(colors, runHues[document.status], document.status);
  return [
    `${document.runId}  ${document.pipeline}${document.displayName === undefined ? "" : `  ${document.displayName}`}`,
    `${status}  ${done} of ${document.nodes.length} nodes  ${formatDuration(runSeconds(document, now))}`,
    ...describeCost(document.cost),
    ...(document.continues === undefined ? [] : [`continues run ${document.continues}`]),
    ...describeAge(document),
    ...(document.waitsFor === undefined ? [] : [`waits for ${document.waitsFor}`]),
    "",
    renderNodes(progress, options),
    ...titled("Earlier attempts:", describeAttempts(document.nodes)),
    ...(document.promotion === undefined ? [] : ["", ...describePromotion(document.promotion, colors)]),
    ...describeOutputs(document),
    ...describeAssets(document.assets ?? [], options.width),
  ].join("\n");
}

export function renderRunList(
  runs: readonly z.infer<typeof RunSummary>[],
  { colors, width, now }: TableOptions,
): string {
  const rows = runs.map((run) => [
    run.runId,
    run.pipeline,
    paint(colors, runHues[run.status], run.status),
    `${run.completedNodeCount}/${run.nodeCount}`,
    formatDuration(
      secondsBetween(run.createdTime, runStatusFacts[run.status].isTerminal ? run.lastUpdatedTime : undefined, now),
    ),
    `${run.createdTime.slice(0, 16).replace("T", " ")}Z`,
  ]);
  return renderTable(["RUN", "PIPELINE", "STATUS", "NODES", "TIME", "STARTED"], rows, width);
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function describeAge({ archivedTime, outputsRemovedTime }: RunDocument): string[] {
  const day = (time: string) => time.slice(0, 10);
  return [
    ...(archivedTime === undefined
      ? []
      : [`its history aged out on ${day(archivedTime)}; this is what was kept of it`]),
    ...(outputsRemovedTime === undefined ? [] : [`its outputs aged out on ${day(outputsRemovedTime)}`]),
  ];
}

function describeOutputs({ outputs }: RunDocument): string[] {
  const entries = Object.entries(outputs);
  return entries.length === 0 ? [] : ["", "Outputs:", ...entries.map(([name, uri]) => `  ${name}  ${uri}`)];
}
