// The live view of a run as text: one line per node, one for the whole. Pure, so that a test can read it.
import truncate from "cli-truncate";
import { type NodeRun, nodeStatusFacts } from "#shared/domain/run.ts";
import type { RunProgress } from "../follow-run.ts";
import type { Colors } from "../terminal.ts";
import { describeMachine, describePhase, elapsedSeconds } from "./describe-node.ts";
import { chooseNodes, describeHidden } from "./fold-nodes.ts";
import { describeCost } from "./describe-cost.ts";
import { formatDuration } from "./format-duration.ts";
import { runSeconds } from "./run-seconds.ts";
import { nodeLooks, paint, runHues } from "./statuses.ts";
import { summarizeMetrics } from "./summarize-metrics.ts";

export interface Frame {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly width: number;
  readonly rows: number;
  readonly colors: Colors;
  /** A line below everything else. */
  readonly note?: string;
}

const longestName = 28;
/** Lines that are not nodes: the whole, the count of nodes not shown, the note, the cursor's. */
const otherLines = 4;

/** Lines no wider than `width`, no more than `rows`, joined by newlines. */
export function renderFrame(progress: RunProgress, { now, width, rows, colors, note }: Frame): string {
  const { document } = progress;
  const shown = chooseNodes(document.nodes, Math.max(3, rows - otherLines));
  const nameWidth = Math.min(longestName, Math.max(0, ...shown.map((node) => node.name.length)));
  const timeWidth = Math.max(5, ...shown.map((node) => timeOf(node, now).length));
  const lines = shown.map((node) => renderNode(node, progress, { now, colors, nameWidth, timeWidth }));
  const hidden = describeHidden(document.nodes, shown);
  if (hidden !== undefined) lines.push(colors.dim(`  ${hidden}`));
  lines.push(renderWhole(progress, now, colors));
  if (note !== undefined) lines.push(colors.yellow(note));
  return lines.map((line) => truncate(line.trimEnd(), width)).join("\n");
}

interface NodeFrame {
  readonly now: number;
  readonly colors: Colors;
  readonly nameWidth: number;
  readonly timeWidth: number;
}

function timeOf(node: NodeRun, now: number): string {
  const seconds = elapsedSeconds(node, now);
  return seconds === undefined ? "" : formatDuration(seconds);
}

function renderNode(node: NodeRun, { metrics }: RunProgress, { now, colors, nameWidth, timeWidth }: NodeFrame): string {
  const { symbol, hue } = nodeLooks[node.status];
  const logged = metrics.get(node.name);
  const values = logged === undefined ? "" : summarizeMetrics(logged);
  const notes = [
    node.attempt > 1 ? `attempt ${node.attempt}` : "",
    node.failure?.reason ?? describePhase(node, values !== "") ?? "",
    values,
    describeMachine(node) ?? "",
  ];
  const name = truncate(node.name, longestName).padEnd(nameWidth);
  const time = timeOf(node, now).padStart(timeWidth);
  const start = `${paint(colors, hue, symbol)} ${name}  ${paint(colors, hue, node.status.padEnd(9))}  ${colors.dim(time)}`;
  return [start, ...notes.filter((each) => each !== "")].join("  ");
}

function renderWhole({ document }: RunProgress, now: number, colors: Colors): string {
  const { status, nodes, runId, pipeline, waitsFor } = document;
  const done = nodes.filter((node) => nodeStatusFacts[node.status].isSuccess).length;
  const time = formatDuration(runSeconds(document, now));
  return [
    paint(colors, runHues[status], colors.bold(status)),
    `${done} of ${nodes.length} nodes`,
    time,
    ...describeCost(document.cost),
    // One that runs says so beside the node that waits.
    ...(waitsFor === undefined || status !== "queued" ? [] : [`waits for ${waitsFor}`]),
    `${pipeline} ${runId}`,
  ].join("  ");
}
