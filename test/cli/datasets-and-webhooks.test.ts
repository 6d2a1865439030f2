// Commands of datasets, of the record of uploads and of webhooks: what they send, and what they show on 80 columns and in a pipe.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeadLetter, EventDocument, VersionDocument } from "#shared/api.ts";
import { renderEvents, renderVersion } from "#cli/views/dataset-table.ts";
import { renderDeadLetters } from "#cli/views/webhook-table.ts";
import { type FakeApp, fakeKey, newRun, startFakeApp } from "./fake-app.ts";
import { runCli } from "./run-cli.ts";

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

const mlpipe = (...args: string[]) => runCli(args, { cwd, env: { MLPIPE_URL: app.url, MLPIPE_KEY: fakeKey } });
const sent = (method: string, path: string) =>
  app.requests.filter((request) => request.method === method && request.path.startsWith(`/api/${path}`));

const declaration = {
  path: "datasets/shots/{version}/",
  files: ["a.csv"],
  ready: "_READY",
  pipeline: "count",
  inputs: { data: "${{dataset.path}}" },
};
const shots = { name: "shots", source: "registered", declaration, issues: [] };
const time = "2026-01-05T10:00:00.000Z";
const runId = "golden_olive_2b5qx3v9m7";
const events: EventDocument[] = [
  { kind: "arrival", time, fate: "started", dataset: "shots", version: "v1", files: 1, runId },
  { kind: "upload", time, fate: "merged", dataset: "shots", version: "v1", file: "a.csv", runId },
  { kind: "upload", time, fate: "waiting", dataset: "shots", version: "v2", file: "b.csv" },
  { kind: "upload", time, fate: "replaced", dataset: "shots", version: "v1", file: "a.csv", reason: "written again" },
  { kind: "upload", time, fate: "duplicate", dataset: "shots", version: "v1", file: "a.csv", reason: "told twice" },
  { kind: "upload", time, fate: "ignored", file: "notes/\u001b[2Jx\ny.txt", reason: "no dataset has it" },
  { kind: "upload", time, fate: "refused", dataset: "shots", version: "v3", file: "a.csv", reason: "no input `data`" },
  { kind: "arrival", time, fate: "overdue", dataset: "shots", version: "v4", files: 1, reason: "missing: _READY" },
  { kind: "found", time, fate: "found", dataset: "shots", version: "v5" },
];

describe("dataset", () => {
  test("apply sends the declaration under the name of the file", async () => {
    app.answers.set("PUT datasets/shots", shots);
    await writeFile(join(cwd, "shots.yml"), JSON.stringify(declaration));
    const { code, stdout } = await mlpipe("dataset", "apply", "shots.yml");
    expect([code, stdout]).toEqual([0, "Dataset shots: versions at datasets/shots/{version}/ start count.\n"]);
    expect(JSON.parse(sent("PUT", "datasets/shots")[0]?.body ?? "")).toEqual({ dataset: declaration });
  });

  test("apply of a file with mistakes names each and sends nothing", async () => {
    await writeFile(join(cwd, "shots.yml"), "path: datasets/shots/\nreadyy: _READY\npipeline: count\n");
    const { code, stderr } = await mlpipe("dataset", "apply", "shots.yml");
    expect(code).toBe(2);
    expect(stderr).toContain("readyy");
    expect(stderr).toContain("{version}");
    expect(app.requests).toEqual([]);
  });

  test("upload sends the ready file last", async () => {
    app.answers.set("GET datasets/shots", shots);
    const expires = "2099-01-01T00:00:00Z";
    const uri = "azureml://datastores/workspaceblobstore/paths/datasets/shots/v1/";
    app.answers.set("POST datasets/shots/versions/v1/uploads", {
      uri,
      url: `${app.url}/store/shots/v1`,
      sas: "sig=secret",
      expires,
    });
    await mkdir(join(cwd, "v1"));
    for (const name of ["_READY", "a.csv", "b.csv"]) await writeFile(join(cwd, "v1", name), name);
    const { code, stdout, stderr } = await mlpipe("dataset", "upload", "shots", "v1", "v1");
    expect([code, stdout]).toEqual([0, "3 files of shots v1 are there.\n"]);
    expect([...app.stored.keys()].at(-1)).toBe("shots/v1/_READY");
    expect(app.stored.size).toBe(3);
    expect(stderr).not.toContain("secret");
  });

  test("run starts a version by hand and says how to watch it", async () => {
    app.answers.set("POST datasets/shots/versions/v1/runs", newRun());
    const { code, stdout } = await mlpipe("dataset", "run", "shots", "v1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Run sharp_pipe_1 of fashion_mnist\nTo watch it: .*status sharp_pipe_1 --watch\n$/);
  });

  test("shows on 80 columns what a version waits for, and no run's id cut", () => {
    const document: VersionDocument = {
      dataset: "shots",
      version: "v2",
      uri: "azureml://datastores/workspaceblobstore/paths/datasets/shots/v2/",
      arrivals: [
        {
          number: 1,
          status: "overdue",
          time,
          cause: "timeout",
          manifest: "m1",
          files: 1,
          bytes: 3,
          reason: "missing: b*.csv, _READY",
        },
        { number: 2, status: "started", time, cause: "whole", manifest: "m2", files: 2, bytes: 5, runId },
      ],
      waiting: { missing: ["_READY"], files: 1 },
      files: [],
    };
    const text = renderVersion(document, { colors: pc.createColors(false), width: 80, now: 0 });
    expect(text).toContain("1 file there; it waits for _READY");
    expect(text).toContain(runId);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});

describe("events", () => {
  test("asks for what is wanted and shows every fate, each in one line of a pipe", async () => {
    app.answers.set("GET events", { events });
    const { code, stdout } = await mlpipe("events", "--dataset", "shots", "--fate", "started", "--limit", "50");
    expect(code).toBe(0);
    expect(sent("GET", "events")[0]?.path).toBe("/api/events?limit=50&dataset=shots&fate=started");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(1 + events.length);
    for (const { fate } of events) expect(stdout).toContain(fate);
    expect(stdout).not.toContain("\u001b[2J");
    expect(lines.find((line) => line.includes("merged"))).toContain(runId);
  });

  test("on 80 columns keeps each time and each run's id whole", () => {
    const text = renderEvents(events, { colors: pc.createColors(false), width: 80, now: 0 });
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(text.split(runId)).toHaveLength(3);
    expect(text.match(/01-05 10:00:00/g)).toHaveLength(events.length);
  });

  test("says so when there are none", async () => {
    app.answers.set("GET events", { events: [] });
    const { stdout, stderr } = await mlpipe("events");
    expect([stdout, stderr]).toEqual(["", "No events.\n"]);
  });
});

describe("webhook", () => {
  const hook = {
    name: "ops",
    events: ["run.*"],
    pipelines: [],
    isEnabled: true,
    createdTime: time,
    secretTime: time,
    url: "https://hooks.example/x",
  };
  const letter = {
    id: "8235392799999-msg_1",
    time,
    attempts: 9,
    reason: "it answered 500",
    message: {
      id: "msg_1",
      type: "run.failed",
      timestamp: time,
      data: { runId, pipeline: "count", status: "failed" },
    },
  };

  test("set shows the secret once, and a list never", async () => {
    app.answers.set("PUT webhooks/ops", { ...hook, secret: "whsec_abc" });
    app.answers.set("GET webhooks", { webhooks: [hook] });
    const made = await mlpipe("webhook", "set", "ops", hook.url, "-e", "run.failed", "--pipeline", "count");
    expect([made.code, made.stdout]).toEqual([
      0,
      "Webhook ops is told of run.*.\nIts secret, which is not shown again: whsec_abc\n",
    ]);
    const body = { url: hook.url, events: ["run.failed"], pipelines: ["count"] };
    expect(JSON.parse(sent("PUT", "webhooks/ops")[0]?.body ?? "")).toEqual(body);
    const { stdout } = await mlpipe("webhook", "list");
    expect(stdout).toMatch(/^WEBHOOK +STATUS +EVENTS +PIPELINES +URL\nops +on +run\.\* +all +https:\/\/hooks/);
  });

  test("a trial message tells what came of it", async () => {
    app.answers.set("POST webhooks/ops/test", { isDelivered: false, reason: "it answered 404" });
    expect((await mlpipe("webhook", "test", "ops")).stdout).toBe("Not delivered: it answered 404.\n");
  });

  test("the id of a dead letter is whole on 80 columns", () => {
    const id = "8204604203456-msg_351f51a3f703048a143e883ea8";
    const long = { ...letter, id, reason: "it answered 500 ".repeat(20) } as DeadLetter;
    const lines = renderDeadLetters([long, long], { colors: pc.createColors(false), width: 80, now: 0 }).split("\n");
    expect(lines.filter((line) => line === id)).toHaveLength(2);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  test("dead letters are listed by id and sent again by it", async () => {
    app.answers.set("GET webhooks/ops/dead-letters", { deadLetters: [letter] });
    app.answers.set(`POST webhooks/ops/dead-letters/${letter.id}/redeliver`, letter);
    const { stdout } = await mlpipe("webhook", "dead-letters", "ops");
    expect(stdout).toContain(letter.id);
    expect(stdout).toContain("9 tries: it answered 500");
    const again = await mlpipe("webhook", "redeliver", "ops", letter.id);
    expect(again.stdout).toBe(`run.failed of run ${runId} is on its way again.\n`);
  });
});
