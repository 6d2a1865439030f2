import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeApp, fakeKey, newNode, newRun, startFakeApp } from "./fake-app.ts";
import { runCli } from "./run-cli.ts";

let app: FakeApp;
let cwd: string;
beforeEach(async () => {
  app = await startFakeApp();
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-cli-"));
  app.runs.set("sharp_pipe_1", newRun({ status: "failed" }));
});
afterEach(async () => {
  await app.stop();
  await rm(cwd, { recursive: true });
});

const mlpipe = (...args: string[]) => runCli(args, { cwd, env: { MLPIPE_URL: app.url, MLPIPE_KEY: fakeKey } });

describe("rerun", () => {
  test("sends from where, with which inputs and under which key, and says how to watch the new run", async () => {
    const args = ["--from", "failed", "--input", "epochs=3", "--force", "--idempotency-key", "k1"];
    const { code, stdout } = await mlpipe("rerun", "sharp_pipe_1", ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Run calm_pine_2 continues sharp_pipe_1\nTo watch it: .*status calm_pine_2 --watch\n$/);
    const sent = app.requests.find(({ path }) => path.endsWith("/rerun"));
    expect(sent?.path).toBe("/api/runs/sharp_pipe_1/rerun");
    expect(JSON.parse(sent?.body ?? "")).toEqual({ from: "failed", inputs: { epochs: "3" }, force: true });
    expect(sent?.headers["idempotency-key"]).toBe("k1");
  });

  test("without a word more sends an empty request under a key of its own", async () => {
    expect((await mlpipe("rerun", "sharp_pipe_1", "--json")).stdout).toContain('"continues":"sharp_pipe_1"');
    const sent = app.requests.find(({ path }) => path.endsWith("/rerun"));
    expect(JSON.parse(sent?.body ?? "")).toEqual({});
    expect(sent?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("of an unknown run is exit code 3", async () => {
    const { code, stderr } = await mlpipe("rerun", "nope");
    expect([code, stderr]).toEqual([3, expect.stringContaining("There is no run nope") as string]);
  });
});

describe("run --force", () => {
  test("asks for every node to run", async () => {
    expect((await mlpipe("run", "fashion_mnist", "--force")).code).toBe(0);
    const sent = app.requests.find(({ path }) => path.endsWith("/pipelines/fashion_mnist/runs"));
    expect(JSON.parse(sent?.body ?? "")).toEqual({ inputs: {}, force: true });
  });
});

describe("why", () => {
  const asked = { runId: "sharp_pipe_1", node: "train", changes: [] };

  test("gives the reason, what it was compared with, and every change line by line", async () => {
    app.explanations.set("sharp_pipe_1/train", {
      ...asked,
      decision: "run",
      reason: "inputs.epochs: 2 -> 3, and 1 more",
      comparedWith: {
        runId: "old_run_1",
        node: "train",
        jobName: "old_run_1-train-1",
        endTime: "2026-01-04T10:00:00Z",
      },
      changes: [
        { ingredient: "inputs.epochs", before: "2", after: "3" },
        { ingredient: "code: train.py", before: "lr = 1\nseed = 2", after: "lr = 3" },
      ],
    });
    const { code, stdout } = await mlpipe("why", "sharp_pipe_1", "train");
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "train ran: inputs.epochs: 2 -> 3, and 1 more.",
        "Compared with node train of run old_run_1 (job old_run_1-train-1), which ended 2026-01-04T10:00:00Z.",
        "",
        "inputs.epochs",
        "- 2",
        "+ 3",
        "",
        "code: train.py",
        "- lr = 1",
        "- seed = 2",
        "+ lr = 3",
        "",
      ].join("\n"),
    );
    expect(JSON.parse((await mlpipe("why", "sharp_pipe_1", "train", "--json")).stdout)).toMatchObject({
      decision: "run",
    });
  });

  test("of a reused node names the run that made it, of an undecided one what it waits for", async () => {
    const reusedFrom = { runId: "old_run_1", node: "train" };
    app.explanations.set("sharp_pipe_1/train", {
      ...asked,
      decision: "reused",
      reason: "nothing has changed",
      reusedFrom,
    });
    expect((await mlpipe("why", "sharp_pipe_1", "train")).stdout).toBe(
      "train was reused from node train of run old_run_1: nothing has changed.\n",
    );
    app.explanations.set("sharp_pipe_1/score", {
      ...asked,
      node: "score",
      decision: "undecided",
      reason: "the node is waiting",
    });
    expect((await mlpipe("why", "sharp_pipe_1", "score")).stdout).toContain("the node is waiting");
  });
});

describe("status", () => {
  test("of a run with reused nodes says which run each is from, and which run it continues", async () => {
    const node = newNode("prep", { status: "reused", reusedFrom: { runId: "old_run_1", node: "prep" } });
    app.runs.set(
      "calm_pine_2",
      newRun({ runId: "calm_pine_2", status: "completed", continues: "sharp_pipe_1", nodes: [node] }),
    );
    const { stdout } = await mlpipe("status", "calm_pine_2");
    expect(stdout).toMatch(/continues run sharp_pipe_1\n[^]*prep +reused +from run old_run_1/);
  });
});
