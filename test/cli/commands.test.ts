import { once } from "node:events";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeApp, fakeKey, newNode, newRun, startFakeApp } from "./fake-app.ts";
import { cliEntry, runCli } from "./run-cli.ts";

/** Of polling in a test: the machine may be busy. */
const soon = { timeout: 20_000 };

let app: FakeApp;
let cwd: string;
beforeEach(async () => {
  app = await startFakeApp();
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-cli-"));
});
afterEach(async () => {
  await app.stop();
  await rm(cwd, { recursive: true });
});

const mlpipe = (args: string[], env: Record<string, string> = {}, onStart?: Parameters<typeof runCli>[1]["onStart"]) =>
  runCli(args, {
    cwd,
    env: { MLPIPE_URL: app.url, MLPIPE_KEY: fakeKey, ...env },
    ...(onStart === undefined ? {} : { onStart }),
  });

const times = { startTime: "2026-01-05T10:00:00Z", endTime: "2026-01-05T10:00:05Z" };
const completed = newRun({
  status: "completed",
  lastUpdatedTime: "2026-01-05T10:00:05Z",
  endTime: "2026-01-05T10:00:05Z",
  nodes: [newNode("prep", { status: "completed", attempt: 1, outputs: { data: "azureml://x/data/" }, ...times })],
});
const failed = newRun({
  status: "failed",
  lastUpdatedTime: "2026-01-05T10:00:05Z",
  endTime: "2026-01-05T10:00:05Z",
  nodes: [
    newNode("prep", {
      status: "failed",
      attempt: 1,
      jobName: "sharp_pipe_1-prep-1",
      ...times,
      failure: { reason: "the program ended with exit code 3", exitCode: 3, logTail: ["reading", "ValueError: magic"] },
    }),
    newNode("train", { status: "skipped" }),
  ],
  failure: { node: "prep", reason: "node prep failed" },
});

describe("watching a run", () => {
  test("that completes prints its changes as plain lines and exits with 0", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    app.upcoming.push(completed);
    const { code, stdout, stderr } = await mlpipe(["run", "fashion_mnist", "--watch"]);
    expect(stdout.split("\n")).toEqual([
      "Run sharp_pipe_1 of fashion_mnist",
      "prep: completed in 5 s",
      "run sharp_pipe_1: completed in 5 s",
      "Files: mlpipe outputs download sharp_pipe_1",
      "",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("that fails names the node, shows the end of its log and the next command, and exits with 1", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    app.upcoming.push(failed);
    const { code, stdout } = await mlpipe(["run", "fashion_mnist", "--watch"]);
    expect(code).toBe(1);
    expect(stdout.split("\n").slice(-7)).toEqual([
      "run sharp_pipe_1: failed in 5 s",
      "Node prep failed (exit code 3): the program ended with exit code 3",
      "The end of its log:",
      "| reading",
      "| ValueError: magic",
      "Whole log: mlpipe logs sharp_pipe_1 prep",
      "",
    ]);
  });

  test("with --json leaves one line on standard output: the run's document", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    app.upcoming.push(failed);
    const { code, stdout, stderr } = await mlpipe(["run", "fashion_mnist", "--watch", "--json"]);
    expect(code).toBe(1);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual(failed);
    expect(stderr).toContain("prep: failed");
  });

  test("left by Ctrl-C says that the run goes on, how to see and how to cancel it", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    let child: ChildProcess | undefined;
    const watching = mlpipe(["status", "sharp_pipe_1", "--watch"], {}, (started) => (child = started));
    await expect.poll(() => app.requests.length, soon).toBe(2);
    child?.kill("SIGINT");
    const { code, stderr } = await watching;
    expect(code).toBe(130);
    expect(stderr).toContain("mlpipe status sharp_pipe_1 --watch");
    expect(stderr).toContain("mlpipe cancel sharp_pipe_1");
  });
});

describe("starting a run", () => {
  test("without --watch says how to watch it and leaves", async () => {
    const { code, stdout } = await mlpipe([
      "run",
      "fashion_mnist",
      "-i",
      "epochs=3",
      "-i",
      "note=a=b",
      "--display-name",
      "mine",
      "--idempotency-key",
      "k1",
    ]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Run sharp_pipe_1 of fashion_mnist\nTo watch it: mlpipe status sharp_pipe_1 --watch\n",
    });
    const [request] = app.requests;
    expect(request?.path).toBe("/api/pipelines/fashion_mnist/runs");
    expect(request?.headers["idempotency-key"]).toBe("k1");
    expect(JSON.parse(request?.body ?? "")).toEqual({ inputs: { epochs: "3", note: "a=b" }, displayName: "mine" });
  });

  test("prints every issue that the server finds and exits with 2", async () => {
    app.state.problem = {
      code: "InvalidRequest",
      detail: "inputs.epoch: no such input",
      issues: [
        { severity: "error", path: "inputs.epoch", message: "no such input", suggestion: "epochs" },
        { severity: "error", path: "jobs.train", message: "no component", file: "p.yml", line: 4, column: 3 },
      ],
    };
    const { code, stderr } = await mlpipe(["run", "fashion_mnist"]);
    expect(code).toBe(2);
    expect(stderr.split("\n")).toEqual([
      "error: inputs.epoch: no such input (did you mean `epochs`?)",
      "error: p.yml:4:3 jobs.train: no component",
      "InvalidRequest: The request is not valid",
      "",
    ]);
  });

  test("refuses an input that is no name=value, all of them at once, before anything is sent", async () => {
    const { code, stderr } = await mlpipe(["run", "fashion_mnist", "-i", "epochs", "-i", "a=1", "-i", "a=2"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--input epochs: expected name=value");
    expect(stderr).toContain("--input a=2: `a` is given twice");
    expect(app.requests).toEqual([]);
  });
});

describe("what goes wrong before there is a run", () => {
  test("a server that is down is exit code 4", async () => {
    await app.stop();
    const { code, stderr } = await mlpipe(["status"]);
    expect({ code, stderr }).toEqual({ code: 4, stderr: `Unavailable: ${app.url} cannot be reached (ECONNREFUSED)\n` });
    app = await startFakeApp();
  });

  test("no server at all says how to get one, exit code 4", async () => {
    const { code, stderr } = await mlpipe(["status"], { MLPIPE_URL: "" });
    expect(code).toBe(4);
    expect(stderr).toContain("mlpipe run <pipeline.yml>");
  });

  test("a wrong key is exit code 3 and is not repeated in the answer", async () => {
    const { code, stderr } = await mlpipe(["status"], { MLPIPE_KEY: "not-the-key" });
    expect(code).toBe(3);
    expect(stderr).toBe("Unauthorized: The key is missing or wrong\nThe key belongs in MLPIPE_KEY.\n");
  });

  test("an unknown run is exit code 3", async () => {
    const { code, stderr } = await mlpipe(["status", "no_such_run"]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "NotFound: There is no run no_such_run\n" });
  });

  test("an unknown command suggests the nearest and is exit code 2", async () => {
    const { code, stderr } = await mlpipe(["statsu"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean status?");
  });

  test("an option without its value, and a count that is none, are exit code 2", async () => {
    expect((await mlpipe(["status", "--limit"])).code).toBe(2);
    expect((await mlpipe(["status", "--limit", "-3"])).code).toBe(2);
  });

  test("an address that is no URL is exit code 2, something else that answers is exit code 70", async () => {
    expect((await mlpipe(["status", "--server", "localhost:7071"])).code).toBe(2);
    const { code, stderr } = await mlpipe(["status", "--server", `${app.url}/store`]);
    expect({ code, stderr }).toMatchObject({
      code: 70,
      stderr: expect.stringContaining("is the address right?") as string,
    });
  });
});

describe("looking at runs", () => {
  test("the list is a table, or one JSON line", async () => {
    app.runs.set("sharp_pipe_1", completed);
    const { stdout } = await mlpipe(["status", "--pipeline", "fashion_mnist", "--status", "completed", "-n", "5"]);
    expect(stdout.split("\n")[1]).toBe("sharp_pipe_1  fashion_mnist  completed  1/1    5 s   2026-01-05 10:00Z");
    expect(app.requests.at(-1)?.path).toBe("/api/runs?limit=5&status=completed&pipeline=fashion_mnist");
    const json = await mlpipe(["status", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ runs: [{ runId: "sharp_pipe_1" }] });
  });

  test("no escape code reaches a pipe", async () => {
    app.runs.set("sharp_pipe_1", failed);
    const { stdout } = await mlpipe(["status", "sharp_pipe_1"], { CI: "true" });
    expect(stdout).toContain("✖ prep");
    expect(stdout).not.toContain("\u001B");
  });

  test("a log is read to its end, in as many pieces as the server makes of it", async () => {
    app.runs.set("sharp_pipe_1", completed);
    app.logs.set("sharp_pipe_1/prep", { text: "epoch 1: päärt\nepoch 2\n", isComplete: true });
    expect((await mlpipe(["logs", "sharp_pipe_1", "prep"])).stdout).toBe("epoch 1: päärt\nepoch 2\n");
  });

  test("a log that is followed ends when the job's does", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    app.logs.set("sharp_pipe_1/prep", { text: "one\n", isComplete: false });
    const following = mlpipe(["logs", "-f", "sharp_pipe_1", "prep"]);
    await expect.poll(() => app.requests.length, soon).toBeGreaterThan(1);
    app.logs.set("sharp_pipe_1/prep", { text: "one\ntwo\n", isComplete: true });
    expect((await following).stdout).toBe("one\ntwo\n");
  });

  test("a reader that leaves, as head does, is no error", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    app.logs.set("sharp_pipe_1/prep", { text: "line\n".repeat(20_000), isComplete: true });
    const child = spawn(process.execPath, [cliEntry, "logs", "sharp_pipe_1", "prep"], {
      env: { PATH: process.env.PATH ?? "", MLPIPE_URL: app.url, MLPIPE_KEY: fakeKey },
    });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = (await once(child, "close")) as [number];
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
  });

  test("canceling says whether there was anything left to cancel", async () => {
    app.runs.set("sharp_pipe_1", newRun());
    expect((await mlpipe(["cancel", "sharp_pipe_1", "--reason", "enough"])).stdout).toContain("is being canceled");
    expect(JSON.parse(app.requests.at(-1)?.body ?? "")).toEqual({ reason: "enough" });
    app.runs.set("sharp_pipe_1", completed);
    expect((await mlpipe(["cancel", "sharp_pipe_1"])).stdout).toBe("Run sharp_pipe_1 has ended: completed.\n");
  });
});

describe("downloading outputs", () => {
  beforeEach(() => {
    app.runs.set("sharp_pipe_1", completed);
    app.files.set("sharp_pipe_1/prep/data/sub folder/a.csv", Buffer.from("0123456789".repeat(1000)));
    app.files.set("sharp_pipe_1/prep/data/empty", Buffer.alloc(0));
  });

  test("puts them below a folder named after the run, by node and output", async () => {
    const { code, stdout } = await mlpipe(["outputs", "download", "sharp_pipe_1"]);
    expect(code).toBe(0);
    expect(stdout).toBe("sharp_pipe_1/prep/data/sub folder/a.csv  10 kB\nsharp_pipe_1/prep/data/empty  0 B\n");
    expect(await readFile(join(cwd, "sharp_pipe_1/prep/data/sub folder/a.csv"), "utf8")).toBe(
      "0123456789".repeat(1000),
    );
    expect(await readFile(join(cwd, "sharp_pipe_1/prep/data/empty"), "utf8")).toBe("");
  });

  test("goes on where a broken connection left it", async () => {
    app.state.breakAfter = 4000;
    const { code } = await mlpipe(["outputs", "download", "sharp_pipe_1", "prep", "data", "--to", "here"]);
    expect(code).toBe(0);
    expect(await readFile(join(cwd, "here/prep/data/sub folder/a.csv"), "utf8")).toBe("0123456789".repeat(1000));
    const offsets = app.requests.flatMap(({ headers: { range } }) =>
      range === undefined ? [] : [Number(/\d+/.exec(range)?.[0])],
    );
    expect(offsets.length).toBeGreaterThan(0);
    expect(Math.min(...offsets)).toBeGreaterThan(0);
  });

  test("refuses a file that would lie outside of the folder", async () => {
    app.files.set("sharp_pipe_1/prep/data/../../../../evil", Buffer.from("x"));
    const { code, stderr } = await mlpipe(["outputs", "download", "sharp_pipe_1"]);
    expect(code).toBe(2);
    expect(stderr).toContain("would lie outside");
  });

  test("of a node or output that is not there names those that are", async () => {
    const node = await mlpipe(["outputs", "list", "sharp_pipe_1", "prop"]);
    expect(node).toMatchObject({ code: 3, stderr: "NotFound: run sharp_pipe_1 has no node `prop`: it has prep\n" });
    const output = await mlpipe(["outputs", "list", "sharp_pipe_1", "prep", "dato"]);
    expect(output.stderr).toContain("no output `dato`: it has data");
  });

  test("the list says what there is", async () => {
    const { stdout } = await mlpipe(["outputs", "list", "sharp_pipe_1"]);
    expect(stdout.split("\n")[1]).toBe("prep  data    sub folder/a.csv  10 kB");
  });
});
