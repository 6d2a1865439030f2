// The demo's last words: what ran, how well, and where everything lies.
import type { RunProgress } from "../follow-run.ts";
import { type TableOptions, renderNodes } from "./run-table.ts";
import { formatValue } from "./summarize-metrics.ts";

export interface DemoOptions extends TableOptions {
  /** The command to type next, in pieces that fit a line. */
  readonly next: readonly string[];
}

/** @param paths - the files that were downloaded, as the reader would type them. */
export function renderDemo(progress: RunProgress, paths: readonly string[], options: DemoOptions): string {
  const { colors, next } = options;
  const accuracy = findTestAccuracy(progress);
  const facts: [string, string | undefined][] = [
    ["Test accuracy", accuracy === undefined ? undefined : colors.bold(formatValue(accuracy))],
    ["Model", paths.find((path) => /\.(keras|h5)$/.test(path))],
    ["Predictions", paths.find((path) => path.endsWith("predict_result.csv"))],
    ...paths
      .filter((path) => path.endsWith(".png"))
      .map((path, index): [string, string] => [index === 0 ? "Pictures" : "", path]),
  ];
  const lines = facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(15)}${value}`]));
  return [renderNodes(progress, options), "", ...lines, "", ...renderCommand(next)].join("\n");
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
