import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import type { RunDocument } from "#shared/domain/run.ts";
import { createPlainView } from "#cli/views/plain-view.ts";
import { formatBytes } from "#cli/views/format-bytes.ts";
import { formatDuration } from "#cli/views/format-duration.ts";
import { renderDemo } from "#cli/views/render-demo.ts";
import { renderFrame } from "#cli/views/render-frame.ts";
import { renderRun } from "#cli/views/run-table.ts";
import { summarizeMetrics } from "#cli/views/summarize-metrics.ts";
import { newNode, newRun } from "./fake-app.ts";

const now = Date.parse("2026-01-05T10:01:05Z");
const colors = pc.createColors(false);
const point = (value: number, step: number) => ({ value, step, timestamp: 0 });
const training = {
  metrics: { loss: [point(0.9, 0), point(0.412, 1)], val_accuracy: [point(0.8, 1)], accuracy: [point(0.851, 1)] },
  params: { epochs: "10" },
};

const midway: RunDocument = newRun({
  nodes: [
    newNode("prep", {
      status: "completed",
      attempt: 1,
      startTime: "2026-01-05T10:00:00Z",
      endTime: "2026-01-05T10:00:04Z",
    }),
    newNode("train", {
      status: "running",
      attempt: 2,
      startTime: "2026-01-05T10:00:05Z",
      instanceType: "Standard_NC4as_T4_v3",
      refusedInstanceTypes: [{ instanceType: "Standard_NC6s_v3", reason: "no such size" }],
    }),
    newNode("score"),
  ],
});

describe("the live frame", () => {
  test("says for each node its status, time, attempt, metrics and machine, and for the run how far it is", () => {
    const metrics = new Map([["train", training]]);
    const frame = renderFrame({ document: midway, metrics }, { now, width: 160, rows: 24, colors });
    const machine = "Standard_NC4as_T4_v3 instead of Standard_NC6s_v3";
    expect(frame.split("\n")).toEqual([
      "✔ prep   completed         4 s",
      `● train  running    1 min 00 s  attempt 2  epoch 2/10  loss 0.412  acc 0.851  val_acc 0.800  ${machine}`,
      "· score  waiting",
      "running  1 of 3 nodes  1 min 05 s  fashion_mnist sharp_pipe_1",
    ]);
  });

  test("is never wider than the terminal, whatever is in it", () => {
    const wide = newRun({
      nodes: [newNode("n".repeat(200), { status: "failed", attempt: 1, failure: { reason: "理由".repeat(90) } })],
      pipeline: "p".repeat(150),
    });
    for (const width of [20, 40, 79]) {
      const frame = renderFrame(
        { document: wide, metrics: new Map() },
        { now, width, rows: 24, colors: pc.createColors(true), note: "n".repeat(99) },
      );
      for (const line of frame.split("\n")) expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test("of a thousand nodes fits the terminal and keeps the nodes that failed or run", () => {
    const nodes = Array.from({ length: 1000 }, (_, i) =>
      newNode(`n${i}`, { status: i === 700 ? "failed" : i === 900 ? "running" : i < 500 ? "completed" : "waiting" }),
    );
    const lines = renderFrame(
      { document: newRun({ nodes }), metrics: new Map() },
      { now, width: 80, rows: 12, colors },
    ).split("\n");
    expect(lines.length).toBeLessThan(12);
    expect(lines.filter((line) => /n700|n900/.test(line))).toHaveLength(2);
    expect(lines.join("\n")).toContain("… 992 more: 500 completed, 492 waiting");
  });
});

describe("the plain view", () => {
  test("prints a line when something changed and none when nothing did", () => {
    const { view, lines } = collectPlain();
    view.show({ document: newRun(), metrics: new Map() });
    expect(lines()).toEqual([]);
    view.show({ document: midway, metrics: new Map() });
    view.show({ document: midway, metrics: new Map() });
    view.show({ document: midway, metrics: new Map([["train", training]]) });
    expect(lines()).toEqual([
      "prep: completed in 4 s",
      "train: running (attempt 2) on Standard_NC4as_T4_v3 instead of Standard_NC6s_v3",
      "train: epoch 2/10  loss 0.412  acc 0.851  val_acc 0.800",
    ]);
  });

  test("says where a job is while it is not running yet, and how the run ended", () => {
    const { view, lines } = collectPlain();
    const nodes = [newNode("prep", { status: "running", attempt: 1, jobStatus: "Preparing" })];
    view.show({ document: newRun({ nodes }), metrics: new Map() });
    const failed = [newNode("prep", { status: "failed", attempt: 1, failure: { reason: "exit code 3" } })];
    const end = { status: "failed", endTime: "2026-01-05T10:00:09Z" } as const;
    view.show({ document: newRun({ nodes: failed, ...end }), metrics: new Map() });
    view.show({ document: newRun({ nodes: failed, ...end }), metrics: new Map() });
    expect(lines()).toEqual([
      "prep: running, preparing: building the Python environment",
      "prep: failed: exit code 3",
      "run sharp_pipe_1: failed in 9 s",
    ]);
  });
});

test("the table of a run leaves out columns that say nothing", () => {
  const text = renderRun({ document: midway, metrics: new Map() }, { colors, width: undefined, now });
  expect(text).toContain("NODE");
  expect(text).toContain("MACHINE");
  const plain = renderRun({ document: newRun(), metrics: new Map() }, { colors, width: undefined, now });
  expect(plain).not.toContain("MACHINE");
  expect(plain).not.toContain("ATTEMPT");
});

test("the table of a thousand nodes shows those that failed or run, and how many others there are", () => {
  const nodes = Array.from({ length: 1000 }, (_, i) =>
    newNode(`n${i}`, { status: i === 700 ? "failed" : i === 900 ? "running" : i < 500 ? "completed" : "waiting" }),
  );
  const document = newRun({ nodes });
  const text = renderRun({ document, metrics: new Map() }, { colors, width: 80, now, mostNodes: 10 });
  expect(text.split("\n").filter((line) => /\bn700\b|\bn900\b/.test(line))).toHaveLength(2);
  expect(text).toContain("… 990 more: 500 completed, 490 waiting (--all shows them)");
  const all = renderRun({ document, metrics: new Map() }, { colors, width: undefined, now });
  expect(all.split("\n").filter((line) => /\bn\d+\b/.test(line))).toHaveLength(1000);
});

test("the demo ends with accuracy, where the files lie and what to type next", () => {
  const document = newRun({ status: "completed", nodes: [newNode("score", { status: "completed", attempt: 1 })] });
  const metrics = new Map([["score", { metrics: { "Final test accuracy": [point(0.8415, 0)] }, params: {} }]]);
  const paths = [
    "train/model/m.keras",
    "score/out/predict_result.csv",
    "score/out/confusion.png",
    "train/out/loss.png",
  ];
  const options = { colors, width: 80, now, folder: "here", next: ["mlpipe run x", "--input y"] };
  expect(renderDemo({ document, metrics }, paths, options).split("\n")).toEqual([
    "NODE     STATUS",
    "✔ score  completed",
    "",
    "Test accuracy  0.842",
    "Files          here/",
    "  model        train/model/m.keras",
    "  predictions  score/out/predict_result.csv",
    "  pictures     score/out/confusion.png",
    "               train/out/loss.png",
    "",
    "Next, the same with ten epochs:",
    "  mlpipe run x \\",
    "    --input y",
  ]);
});

describe("metrics in a line", () => {
  test("count epochs against the parameter and put validation last", () => {
    expect(summarizeMetrics(training)).toBe("epoch 2/10  loss 0.412  acc 0.851  val_acc 0.800");
  });

  test("of which there are many are those of loss and accuracy, and a count of the others", () => {
    const names = ["Class 0 recall", "Class 1 recall", "Final test accuracy", "Final test loss"];
    const metrics = Object.fromEntries(names.map((name) => [name, [point(0.5, 0)]]));
    expect(summarizeMetrics({ metrics, params: {} })).toBe("final test loss 0.500  final test acc 0.500  and 2 more");
  });

  test("count steps where no epochs were declared, and nothing for a single value", () => {
    expect(summarizeMetrics({ metrics: { loss: [point(1, 0), point(0.00005, 1)] }, params: {} })).toBe(
      "step 2  loss 0.0000500",
    );
    expect(summarizeMetrics({ metrics: { images: [point(810, 0)] }, params: {} })).toBe("images 810");
    expect(summarizeMetrics({ metrics: { "system/cpu": [point(1, 0)] }, params: {} })).toBe("");
  });
});

test.each([
  [-3, "0.0 s"],
  [0.42, "0.4 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [3599.7, "1 h 00 min"],
  [11_220, "3 h 07 min"],
])("%d seconds read %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [999, "999 B"],
  [1000, "1.0 kB"],
  [4_200_000, "4.2 MB"],
  [31_000_000_000, "31 GB"],
])("%d bytes read %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

function collectPlain() {
  let text = "";
  const stream = { write: (piece: string) => (text += piece) } as unknown as NodeJS.WritableStream; // the view only writes
  return { view: createPlainView(stream), lines: () => text.split("\n").slice(0, -1) };
}

/** Chinese characters take two columns. */
function columnsOf(line: string): number {
  const plain = stripVTControlCharacters(line);
  return plain.length + (plain.match(/\p{Script=Han}/gu)?.length ?? 0);
}
