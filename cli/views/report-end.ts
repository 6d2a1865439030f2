// What is said after a run has ended: where it failed and what to type next.
import { failureClasses } from "#shared/domain/failure-class.ts";
import type { NodeRun, RunDocument } from "#shared/domain/run.ts";
import type { Hint } from "../hint.ts";
import type { Colors } from "../terminal.ts";
import { tellPromotion } from "./promotion.ts";

export interface EndOptions {
  readonly colors: Colors;
  readonly hint: Hint;
}

const tailLines = 20;
/** Nodes that are named besides the first that failed. */
const otherNodes = 10;

/** Lines to print; a failed run shows the end of the log of the node that failed. */
export function reportEnd(document: RunDocument, { colors, hint }: EndOptions): string[] {
  const { runId, status, failure, promotion } = document;
  const model = promotion === undefined ? [] : [tellPromotion(promotion, colors)];
  if (status === "completed") return [...model, `Files: ${hint(`outputs download ${runId}`)}`];
  if (status === "canceled") return [`Run ${runId} was canceled${failure === undefined ? "" : `: ${failure.reason}`}.`];

  const node =
    document.nodes.find(({ name }) => name === failure?.node) ??
    document.nodes.find((each) => each.status === "failed");
  if (node === undefined) return [`${colors.red("Run failed:")} ${failure?.reason ?? "no reason is known"}`];
  const exitCode = node.failure?.exitCode === undefined ? "" : ` (exit code ${node.failure.exitCode})`;
  const attempts = node.attempt > 1 ? ` after ${node.attempt} attempts` : "";
  const tail = (node.failure?.logTail ?? []).slice(-tailLines);
  const failureClass = node.failure?.class;
  return [
    `${colors.red(`Node ${node.name} failed`)}${attempts}${exitCode}: ${node.failure?.reason ?? failure?.reason ?? "no reason is known"}`,
    ...(tail.length === 0 ? [] : ["The end of its log:", ...tail.map((line) => `${colors.dim("|")} ${line}`)]),
    ...(failureClass === undefined ? [] : [adviceFor(failureClass)]),
    ...others(document, node, { colors, hint }),
    ...(node.jobName === undefined ? [] : [`Whole log: ${hint(`logs ${runId} ${node.name}`)}`]),
    // What else a run has come to, when it went on after a failure.
    ...(promotion?.outcome === "not-promoted" ? [] : model),
  ];
}

/** A line for each further node that failed by itself. */
function others(document: RunDocument, first: NodeRun, { colors, hint }: EndOptions): string[] {
  const failed = document.nodes.filter((node) => node.status === "failed" && node !== first);
  const lines = failed
    .slice(0, otherNodes)
    .map(({ name, failure }) => `${colors.red(`Node ${name} failed`)} too: ${failure?.reason ?? "no reason is known"}`);
  return failed.length > otherNodes
    ? [...lines, `and ${failed.length - otherNodes} more: ${hint(`status ${document.runId}`)}`]
    : lines;
}

function adviceFor(name: NonNullable<NonNullable<RunDocument["nodes"][number]["failure"]>["class"]>): string {
  if (name !== "cost-cap") return failureClasses[name].advice;
  return "Start it again with a higher --max-cost: `rerun --from failed` keeps what has completed.";
}
