import { expect, test } from "vitest";
import { RunProgress, toNodeStates, toRunProgress } from "#shared/domain/run-progress.ts";
import type { RunState } from "#shared/domain/run-state.ts";
import { NodeStatus } from "#shared/domain/run.ts";

const since = Date.parse("2026-01-05T10:00:00.000Z");
const time = (seconds: number) => new Date(since + 1000 * seconds).toISOString();

function stateOf(count: number): RunState {
  const nodes = Array.from({ length: count }, (_, index) => {
    const status = NodeStatus.options[index % NodeStatus.options.length] ?? "waiting";
    return [`node_${index}`, { status, attempt: 1, startTime: time(index), endTime: time(index + 86_400) }] as const;
  });
  return { nodes: Object.fromEntries(nodes), uris: {} };
}

test.for([1, 1_000, 3_000, 3_001, 10_000])("tells the status of each of %i nodes in under 16 KB", (count) => {
  const state = { ...stateOf(count), waitsFor: "é".repeat(1_000), cancelReason: "\u0000".repeat(1_000) };
  const text = JSON.stringify(toRunProgress(state, since));
  expect(2 * text.length).toBeLessThan(16 * 1024);
  const told = toNodeStates(RunProgress.parse(JSON.parse(text)));
  expect(told.map(({ status }) => status)).toEqual(Object.values(state.nodes).map(({ status }) => status));
});

test("tells the times of the nodes that ended last, as far as there is room", () => {
  const told = toNodeStates(toRunProgress(stateOf(1_000), since));
  expect(told.at(-1)).toMatchObject({ startTime: time(999), endTime: time(999 + 86_400) });
  expect(told[0]?.startTime).toBeUndefined();
});
