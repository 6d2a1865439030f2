import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient } from "#cli/client.ts";
import { type RunProgress, followRun } from "#cli/follow-run.ts";
import { type FakeApp, fakeKey, newNode, newRun, startFakeApp } from "./fake-app.ts";

/** Of polling in a test: the machine may be busy. */
const soon = { timeout: 20_000 };

let app: FakeApp;
beforeEach(async () => void (app = await startFakeApp()));
afterEach(() => app.stop());

const running = newRun({
  nodes: [newNode("train", { status: "running", attempt: 1 })],
  lastUpdatedTime: "2026-01-05T10:00:01Z",
});
const completed = newRun({
  status: "completed",
  nodes: [newNode("train", { status: "completed", attempt: 1 })],
  lastUpdatedTime: "2026-01-05T10:00:02Z",
});

function follow(signal = new AbortController().signal, silences: (string | undefined)[] = []) {
  const seen: RunProgress[] = [];
  const client = createClient({ url: app.url, key: fakeKey });
  const following = followRun({
    client,
    runId: "sharp_pipe_1",
    signal,
    onProgress: ({ document, metrics }) => seen.push({ document, metrics: new Map(metrics) }),
    onSilence: (reason) => silences.push(reason),
  });
  return { following, seen };
}

test("each document is shown once, and the last metrics of a node with its end", async () => {
  app.runs.set("sharp_pipe_1", newRun());
  app.upcoming.push(running, completed);
  app.metrics.set("sharp_pipe_1/train", { metrics: { loss: [{ value: 0.5, step: 0, timestamp: 0 }] }, params: {} });
  const { following, seen } = follow();
  expect(await following).toEqual(completed);
  expect(seen.map(({ document }) => document.lastUpdatedTime.slice(-3, -1))).toEqual(["00", "01", "02"]);
  expect(seen.at(-1)?.metrics.get("train")?.metrics["loss"]).toHaveLength(1);
});

test("waiting is done by the server: nothing is asked twice while nothing changes", async () => {
  app.runs.set("sharp_pipe_1", newRun());
  const leave = new AbortController();
  const { following, seen } = follow(leave.signal);
  await expect.poll(() => app.requests.length, soon).toBe(2);
  leave.abort();
  await expect(following).rejects.toMatchObject({ name: "AbortError" });
  expect(app.requests.map(({ path }) => path)).toEqual([
    "/api/runs/sharp_pipe_1?wait=0",
    "/api/runs/sharp_pipe_1?wait=20",
  ]);
  expect(seen).toHaveLength(1);
});

test("a server that is away for a while is waited for", async () => {
  app.runs.set("sharp_pipe_1", completed);
  app.state.problem = { code: "Unavailable", detail: "starting" };
  const silences: (string | undefined)[] = [];
  const { following } = follow(undefined, silences);
  await expect.poll(() => silences, soon).toEqual(["starting"]);
  app.state.problem = undefined;
  expect((await following).status).toBe("completed");
  expect(silences.at(-1)).toBeUndefined();
});

test("a run that is not there is no reason to wait", async () => {
  await expect(follow().following).rejects.toMatchObject({ code: "NotFound", message: "There is no run sharp_pipe_1" });
});
