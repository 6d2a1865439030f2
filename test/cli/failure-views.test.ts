import { createColors } from "picocolors";
import { describe, expect, test } from "vitest";
import { renderFrame } from "#cli/views/render-frame.ts";
import { reportEnd } from "#cli/views/report-end.ts";
import { renderRun } from "#cli/views/run-table.ts";
import type { NodeRun, RunDocument } from "#shared/domain/run.ts";

const colors = createColors(false);
const now = Date.parse("2026-01-05T10:10:00.000Z");
const startTime = "2026-01-05T10:00:00.000Z";

function document(node: Partial<NodeRun>, run: Partial<RunDocument> = {}): RunDocument {
  return {
    runId: "r1",
    pipeline: "p",
    experimentName: "e",
    status: "running",
    createdTime: startTime,
    lastUpdatedTime: startTime,
    nodes: [{ name: "train", status: "running", component: "train", dependsOn: [], attempt: 1, startTime, ...node }],
    outputs: {},
    tags: {},
    ...run,
  };
}
const attempts: NodeRun["attempts"] = [
  {
    attempt: 1,
    jobName: "r1-train-1",
    instanceType: "Standard_NC4as_T4_v3",
    class: "preempted",
    reason: "the machine was taken away: exit code 143",
    startTime,
    endTime: startTime,
  },
];
const table = (run: RunDocument) => renderRun({ document: run, metrics: new Map() }, { colors, width: 200, now });

describe("a node that was tried before", () => {
  test("lists its attempts below the table", () => {
    expect(table(document({ attempt: 2, attempts }))).toContain(
      "Earlier attempts:\n  train 1  preempted  Standard_NC4as_T4_v3  the machine was taken away: exit code 143",
    );
    expect(table(document({}))).not.toContain("Earlier attempts");
  });

  test("says what it waits for", () => {
    const run = document({ status: "queued", waitsFor: "attempt 2 at 10:11 after: it was lost" });
    expect(table(run)).toContain("waits for attempt 2 at 10:11 after: it was lost");
  });
});

test("every node that failed is named, the first at length", () => {
  const failure = { reason: "the command ended with exit code 3" };
  const run = document({ status: "failed", failure }, { status: "failed" });
  const [first] = run.nodes as [NodeRun];
  const others = Array.from({ length: 12 }, (_, index) => ({ ...first, name: `other${index}` }));
  const lines = reportEnd({ ...run, nodes: [...run.nodes, ...others] }, { colors, hint: (words) => `mlpipe ${words}` });
  expect(lines[0]).toBe("Node train failed: the command ended with exit code 3");
  expect(lines).toContain("Node other9 failed too: the command ended with exit code 3");
  expect(lines).toContain(`and 2 more: mlpipe status ${run.runId}`);
});

test("a run in the queue says what it waits for, in the table and live", () => {
  const waitsFor = "a free slot: 1 of 1 runs are on their way; it is next";
  const run = document({ status: "waiting" }, { status: "queued", waitsFor });
  expect(table(run)).toContain(`waits for ${waitsFor}`);
  const frame = renderFrame({ document: run, metrics: new Map() }, { now, width: 200, rows: 24, colors });
  expect(frame).toContain(`waits for ${waitsFor}`);
});

test("a failure comes with what to do about it", () => {
  const failure = { class: "out-of-memory" as const, reason: "out of memory: exit code 137", exitCode: 137 };
  const run = document({ status: "failed", attempt: 2, failure }, { status: "failed" });
  const lines = reportEnd(run, { colors, hint: (words) => `mlpipe ${words}` });
  expect(lines[0]).toBe("Node train failed after 2 attempts (exit code 137): out of memory: exit code 137");
  expect(lines).toContain("Ask for a larger size, smaller batches, or fewer worker processes.");
});
