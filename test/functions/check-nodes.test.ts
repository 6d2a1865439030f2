import type { DurableClient } from "durable-functions";
import { expect, test } from "vitest";
import { checkNodes } from "#functions/activities/check-nodes.ts";
import type { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";

const progress: NodeProgress = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z" };
const result: NodeResult = {
  ...progress,
  node: "a",
  endTime: "2026-01-05T10:00:02.000Z",
  status: "completed",
  outputs: {},
};

/** @param answers what an instance says of itself, look by look; the last for good */
function clientOf(answers: Readonly<Record<string, readonly object[]>>) {
  const looks = new Map<string, number>();
  const getStatus = (id: string) => {
    const look = looks.get(id) ?? 0;
    looks.set(id, look + 1);
    const all = answers[id];
    if (all === undefined) return Promise.reject(new Error(`no instance ${id}: 404`));
    return Promise.resolve(all[Math.min(look, all.length - 1)]);
  };
  return { looks, client: { getStatus } as unknown as DurableClient };
}

const running = { runtimeStatus: "Running", customStatus: progress };
const reporting = { runtimeStatus: "Running", customStatus: { ...progress, isReporting: true } };
const ended = { runtimeStatus: "Completed", output: result };

test("a node that has told its run of its end, and has not ended itself, is waited for", async () => {
  const { client, looks } = clientOf({ "r1:a": [reporting, reporting, ended], "r1:b": [running] });
  expect(await checkNodes({ runId: "r1", nodes: ["a", "b"] }, client)).toEqual([result]);
  expect(Object.fromEntries(looks)).toEqual({ "r1:a": 3, "r1:b": 1 });
});

test("a node whose instance is gone or was terminated has failed", async () => {
  const { client } = clientOf({ "r1:a": [{ runtimeStatus: "Terminated", output: "by hand" }] });
  const results = await checkNodes({ runId: "r1", nodes: ["a", "b"] }, client);
  expect(results.map(({ node, status }) => [node, status])).toEqual([
    ["a", "failed"],
    ["b", "failed"],
  ]);
});
