// The demo's last words: what ran, how well, and where everything lies.
import type { RunDocument } from "#shared/domain/run.ts";
import type { RunProgress } from "../follow-run.ts";
import { describeMachine, elapsedSeconds } from "./describe-node.ts";
import { formatDuration } from "./format-duration.ts";
import { renderTable } from "./print-table.ts";
import { tellPromotion } from "./promotion.ts";
import type { TableOptions } from "./run-table.ts";
import { nodeLooks, paint } from "./statuses.ts";
import { formatValue } from "./summarize-metrics.ts";

export interface DemoOptions extends TableOptions {
  /** Where the files lie. */
  readonly folder: string;
  /** The command to type next, in pieces that fit a line. */
  readonly next: readonly string[];
}

/** @param paths - the downloaded files, relative to `folder`. */
export function renderDemo(progress: RunProgress, paths: readonly string[], options: DemoOptions): string {
  const { colors, next, folder } = options;
  const accuracy = findTestAccuracy(progress);
  const pictures = paths.filter((path) => path.endsWith(".png"));
  const facts: [string, string | undefined][] = [
    ["Test accuracy", accuracy === undefined ? undefined : colors.bold(formatValue(accuracy))],
    ["Files", `${folder}/`],
    ["  model", paths.find((path) => /\.(keras|h5)$/.test(path))],
    ["  predictions", paths.find((path) => path.endsWith("predict_result.csv"))],
    ...pictures.map((path, index): [string, string] => [index === 0 ? "  pictures" : "", path]),
  ];
  const { promotion } = progress.document;
  const model = promotion === undefined ? [] : [tellPromotion(promotion, colors), ""];
  const lines = facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(15)}${value}`]));
  return [renderTimes(progress.document, options), "", ...model, ...lines, "", ...renderCommand(next)].join("\n");
}

function renderTimes({ nodes }: RunDocument, { colors, width, now }: DemoOptions): string {
  const rows = nodes.map((node) => {
    const { symbol, hue } = nodeLooks[node.status];
    const seconds = elapsedSeconds(node, now);
    const time = seconds === undefined ? "" : formatDuration(seconds);
    return [`${paint(colors, hue, symbol)} ${node.name}`, node.status, time, describeMachine(node) ?? ""];
  });
  return renderTable(["NODE", "STATUS", "TIME", "MACHINE"], rows, width);
}

function findTestAccuracy({ metrics }: RunProgress): number | undefined {
  for (const { metrics: logged } of metrics.values()) {
    const found = Object.entries(logged).find(([name]) => /test.*accuracy/i.test(name));
    if (found !== undefined) return found[1].at(-1)?.value;
  }
  return undefined;
}

/** A command over several lines that a shell takes as one. */
function renderCommand(pieces: readonly string[]): string[] {
  return [
    "Next, the same with ten epochs:",
    ...pieces.map((piece, index) => `  ${index === 0 ? "" : "  "}${piece}${index < pieces.length - 1 ? " \\" : ""}`),
  ];
}
