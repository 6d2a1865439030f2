// A run line by line, for pipes, files and CI: a line when something changed, none otherwise, without clock or colours.
import { type NodeRun, nodeStatusFacts, runStatusFacts } from "#shared/domain/run.ts";
import { describeMachine, describePhase, elapsedSeconds } from "./describe-node.ts";
import { formatDuration } from "./format-duration.ts";
import { runSeconds } from "./run-seconds.ts";
import type { RunView } from "./run-view.ts";
import { summarizeMetrics } from "./summarize-metrics.ts";

export function createPlainView(stream: NodeJS.WritableStream): RunView {
  const lastLines = new Map<string, string>();
  let isOver = false;
  /** Prints `line` unless it is the last one printed about this subject. */
  const print = (subject: string, line: string) => {
    if (line === "" || lastLines.get(subject) === line) return;
    lastLines.set(subject, line);
    stream.write(`${line}\n`);
  };

  return {
    show({ document, metrics }) {
      if (document.waitsFor !== undefined) print("run", `run ${document.runId}: waits for ${document.waitsFor}`);
      for (const node of document.nodes) {
        const logged = metrics.get(node.name);
        const values = logged === undefined ? "" : summarizeMetrics(logged);
        const lines: [string, string][] = [
          [node.name, describe(node, values !== "")],
          [`${node.name} metrics`, values === "" ? "" : `${node.name}: ${values}`],
        ];
        // What a job logged comes before its end, also when it was read after it.
        if (nodeStatusFacts[node.status].isTerminal) lines.reverse();
        for (const [subject, line] of lines) print(subject, line);
      }
      if (isOver || !runStatusFacts[document.status].isTerminal) return;
      isOver = true;
      print("run", `run ${document.runId}: ${document.status} in ${formatDuration(runSeconds(document, 0))}`);
    },
    tell: (text) => print("note", text),
    end: () => {},
  };
}

function describe(node: NodeRun, hasLogged: boolean): string {
  if (node.status === "waiting") return "";
  const start = `${node.name}: ${node.status}`;
  const attempt = node.attempt > 1 ? ` (attempt ${node.attempt})` : "";
  if (nodeStatusFacts[node.status].isTerminal) {
    const seconds = elapsedSeconds(node, 0);
    const time = seconds === undefined ? "" : ` in ${formatDuration(seconds)}`;
    return `${start}${attempt}${time}${node.failure === undefined ? "" : `: ${node.failure.reason}`}`;
  }
  const machine = describeMachine(node);
  const phase = describePhase(node, hasLogged) ?? "";
  return `${start}${attempt}${machine === undefined ? "" : ` on ${machine}`}${phase === "" ? "" : `, ${phase}`}`;
}
