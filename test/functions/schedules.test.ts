// Schedules and retention on the embedded stack: over HTTP, through the real timer functions, and through kills.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RetentionReport, RunDocument, ScheduleAnswer, ScheduleDocument, ScheduleList } from "#shared/api.ts";
import { runCli } from "#test/cli/run-cli.ts";
import { type OwnStack, startOwnStack } from "#test/resilience/own-stack.ts";

const pipeline = `
type: pipeline
inputs: { when: never, note: none }
jobs:
  say:
    type: command
    command: echo "\${{inputs.when}}" > "\${{outputs.said}}/when"
    environment: { image: busybox }
    inputs: { when: "\${{parent.inputs.when}}" }
    outputs: { said: { type: uri_folder } }
`;

const deployedSchedule = `
name: deployed
trigger: { type: cron, expression: 0 3 * * *, time_zone: W. Europe Standard Time, start_time: 2026-01-01T00:00:00 }
create_job: ../pipelines/say.yml
`;

const greeting = `
type: pipeline
inputs: { who: { type: uri_file } }
jobs:
  greet:
    type: command
    command: cat "\${{inputs.who}}" > "\${{outputs.said}}/text"
    environment: { image: busybox }
    inputs: { who: "\${{parent.inputs.who}}" }
    outputs: { said: { type: uri_folder } }
`;
const mornings = `
name: mornings
trigger:
  type: recurrence
  frequency: week
  interval: 1
  schedule: { hours: 6, minutes: 30, week_days: [monday, friday] }
  start_time: 2026-01-01T00:00:00
  time_zone: Pacific Standard Time
create_job: { type: pipeline, job: ./greet.yml, inputs: { who: { type: uri_file, path: ./who.txt } } }
`;

/** Fires once, at once, and then not for a year. */
const atOnce = (changes: object = {}) => ({
  trigger: { type: "recurrence", frequency: "month", interval: 12 },
  create_job: {
    type: "pipeline",
    job: "azureml:say",
    inputs: { when: "${{name}} at ${{creation_context.trigger_time}}" },
  },
  ...changes,
});

let own: OwnStack;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mlpipe-schedules-"));
  const [schedules, pipelines] = [join(folder, "schedules"), join(folder, "pipelines")];
  mkdirSync(schedules);
  mkdirSync(pipelines);
  writeFileSync(join(pipelines, "say.yml"), pipeline);
  writeFileSync(join(schedules, "deployed.yml"), deployedSchedule);
  writeFileSync(
    join(schedules, "broken.yaml"),
    "name: broken\ntrigger: { type: cron, expression: 0 99 * * * }\ncreate_job: azureml:say\n",
  );
  own = await startOwnStack({
    MLPIPE_SCHEDULES: relative(process.cwd(), schedules),
    MLPIPE_PIPELINES: relative(process.cwd(), pipelines),
    MLPIPE_HISTORY_DAYS: "0",
    MLPIPE_CACHE_DAYS: "0",
    MLPIPE_OUTPUT_DAYS: "0",
  });
});
afterAll(async () => {
  await own.stop();
  rmSync(folder, { recursive: true });
});

async function put(name: string, schedule: unknown): Promise<Response> {
  return own.app.call(`schedules/${name}`, { method: "PUT", body: { schedule } });
}

async function get(name: string): Promise<ScheduleDocument> {
  return ScheduleDocument.parse(await (await own.app.call(`schedules/${name}`)).json());
}

/** Lets the clock tick until every tick of a schedule has its fate. */
async function fired(name: string): Promise<ScheduleDocument> {
  for (;;) {
    // A host that is being killed does not answer.
    await own.runTimer("fireSchedules").catch(() => undefined);
    await delay(100);
    const schedule = await get(name).catch(() => undefined);
    if (schedule === undefined || schedule.fires.length === 0) continue;
    if (schedule.fires.every(({ status }) => status !== "starting" && status !== "queued")) return schedule;
  }
}

/** Ids of all runs that a schedule has started, as their plans say. */
async function runsOf(name: string): Promise<string[]> {
  const answer = (await (await own.app.call("runs?limit=200")).json()) as { runs: { runId: string }[] };
  const found: string[] = [];
  for (const { runId } of answer.runs) {
    const { document } = await own.app.getRun(runId);
    if (document.tags["mlpipe.schedule"] === name) found.push(runId);
  }
  return found;
}

describe("a schedule over HTTP", () => {
  test("is made of Azure ML's YAML, shows its next ticks on its own clock, and can be deleted", async () => {
    const body = deployedSchedule.replace("deployed", "nightly").replace("../pipelines/say.yml", "azureml:say");
    const answer = await own.app.call("schedules/nightly", {
      method: "PUT",
      body,
      headers: { "content-type": "application/yaml" },
    });
    const { next, status, version } = ScheduleAnswer.parse(await answer.json());
    expect({ status, version, count: next.length }).toEqual({ status: "active", version: 1, count: 10 });
    for (const tick of next) expect(tick).toMatch(/T0[12]:00:00Z$/);
    expect((await own.app.call("schedules/nightly", { method: "DELETE" })).status).toBe(204);
    expect((await own.app.call("schedules/nightly")).status).toBe(404);
  });

  test("is refused with every issue at its line, and when its pipeline cannot run", async () => {
    const yaml =
      "trigger:\n  type: cron\n  expression: 0 99 * * *\n  time_zone: Middle Earth\ncreate_job: azureml:say\n";
    const refused = await own.app.call("schedules/x", {
      method: "PUT",
      body: yaml,
      headers: { "content-type": "text/yaml" },
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      issues: [
        { path: "trigger.time_zone", line: 4, column: 14 },
        { path: "trigger.expression", line: 3, column: 15 },
      ],
    });
    const { status, body } = await problem(put("x", atOnce({ create_job: "azureml:nobody" })));
    expect([status, body]).toEqual([404, expect.stringContaining("nobody")]);
    const job = { type: "pipeline", job: "azureml:say", inputs: { wen: 1 } };
    expect(await problem(put("x", atOnce({ create_job: job })))).toMatchObject({
      status: 400,
      body: expect.stringContaining("the pipeline has no input `wen`") as string,
    });
  });

  test("that is deployed with the app is there, and only its file changes it", async () => {
    const list = ScheduleList.parse(await (await own.app.call("schedules")).json());
    expect(list.schedules.find(({ name }) => name === "deployed")).toMatchObject({
      origin: "deployed",
      pipeline: "../pipelines/say.yml",
    });
    expect(list.issues).toMatchObject([{ file: "broken.yaml", line: 2, path: "trigger.expression" }]);
    expect((await put("deployed", atOnce())).status).toBe(409);
    expect((await own.app.call("schedules/deployed", { method: "DELETE" })).status).toBe(409);
    const paused = await own.app.call("schedules/deployed/pause", { method: "POST" });
    expect(await paused.json()).toMatchObject({ status: "paused", next: [] });
    const run = RunDocument.parse(await (await own.app.call("schedules/deployed/run", { method: "POST" })).json());
    expect(run.experimentName).toBe("deployed");
    expect((await own.app.ended(run.runId)).status).toBe("completed");
    expect((await get("deployed")).fires).toMatchObject([{ status: "started", runId: run.runId, isByHand: true }]);
    const resumed = await own.app.call("schedules/deployed/resume", { method: "POST" });
    expect(await resumed.json()).toMatchObject({ status: "active" });
  });
});

async function problem(sent: Promise<Response>): Promise<{ status: number; body: string }> {
  const answer = await sent;
  return { status: answer.status, body: await answer.text() };
}

describe("the clock", () => {
  test("starts a run that knows its tick, once, however often it ticks", async () => {
    expect((await put("once", atOnce())).status).toBe(200);
    const { fires, createdTime } = await fired("once");
    await own.runTimer("fireSchedules");
    await own.runTimer("fireSchedules");
    const [fire] = fires;
    if (fire?.status !== "started") throw new Error(JSON.stringify(fires));
    expect(fire.tick).toBe(createdTime.replace(".000Z", "Z"));
    await own.app.ended(fire.runId);
    expect(await own.app.read(fire.runId, "say", "said", "when")).toBe(`${fire.runId} at ${fire.tick}\n`);
    expect(await runsOf("once")).toEqual([fire.runId]);
  });

  test.for([0, 40, 150])("starts it once although the host is killed %i ms into the tick", async (pause) => {
    const names = [1, 2, 3].map((number) => `killed-${pause}-${number}`);
    for (const name of names) expect((await put(name, atOnce())).status).toBe(200);
    await own.runTimer("fireSchedules");
    await delay(pause);
    process.kill(own.stack.pids().host, "SIGKILL");
    for (const name of names) {
      const { fires } = await fired(name);
      const started = fires.flatMap((fire) => (fire.status === "started" ? [fire.runId] : []));
      expect(started).toHaveLength(1);
      expect(await runsOf(name)).toEqual(started);
      await own.app.ended(started[0] ?? "");
      // Not one job more than there are nodes.
      const jobs = await own.controls.jobPuts(started[0] ?? "");
      expect(new Set(jobs.map(({ jobName }) => jobName)).size).toBe(1);
    }
  });
});

describe("mlpipe schedule", () => {
  const mlpipe = async (...args: string[]) => {
    const { app } = own;
    const env = { MLPIPE_URL: app.url, MLPIPE_KEY: app.key };
    const { code, stdout, stderr } = await runCli(["schedule", ...args], { cwd: folder, env });
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toEqual({ args, code: 0, stderr: "" });
    return stdout;
  };

  test("sends a file with its pipeline and its data, and does the rest by name", { timeout: 60_000 }, async () => {
    writeFileSync(join(folder, "who.txt"), "somebody");
    writeFileSync(join(folder, "greet.yml"), greeting);
    writeFileSync(join(folder, "mornings.yml"), mornings);
    expect(await mlpipe("apply", "mornings.yml")).toMatch(
      /^Schedule mornings, version 1: 2\S+T\d\d:30:00Z is the next tick/,
    );
    expect(await mlpipe("apply", "mornings.yml")).toContain("version 1:");
    expect(await mlpipe("list")).toMatch(/mornings +active +greet +every week on mon,fri at 06:30/);
    const next = await mlpipe("next", "mornings", "-n", "4");
    expect(next.match(/(Mon|Fri), .* 06:30 GMT[+-]\d/g)).toHaveLength(4);
    const started = /^Run (\S+) of greet/.exec(await mlpipe("run-now", "mornings"))?.[1] ?? "";
    expect((await own.app.ended(started)).status).toBe("completed");
    expect(await own.app.read(started, "greet", "said", "text")).toBe("somebody");
    expect(await mlpipe("show", "mornings")).toMatch(new RegExp(`started +run ${started} \\(by hand\\)`));
    expect(await mlpipe("pause", "mornings")).toContain("is paused");
    expect(JSON.parse(await mlpipe("next", "mornings", "--json"))).toEqual({ name: "mornings", next: [] });
    expect(await mlpipe("resume", "mornings")).toContain("is active");
    expect(await mlpipe("delete", "mornings")).toContain("is deleted");
    expect(
      ScheduleList.parse(JSON.parse(await mlpipe("list", "--json"))).schedules.map(({ name }) => name),
    ).not.toContain("mornings");
  });
});

describe("retention", () => {
  const report = async (method: "GET" | "POST") =>
    RetentionReport.parse(await (await own.app.call("retention", { method })).json());

  test("keeps a run's document, forgets the rest, and never starts the run again", async () => {
    const headers = { "idempotency-key": "an old request" };
    const start = () => own.app.call("pipelines/say/runs", { method: "POST", body: {}, headers });
    const { runId } = RunDocument.parse(await (await start()).json());
    const before = await own.app.ended(runId);
    const planned = await report("GET");
    expect(planned.histories.runs).toContain(runId);
    expect(planned.isDryRun).toBe(true);
    expect((await own.app.getRun(runId)).document.archivedTime).toBeUndefined();

    const first = await report("POST");
    expect(first.histories.runs).toContain(runId);
    const { archivedTime, ...rest } = (await own.app.getRun(runId)).document;
    expect(archivedTime).toBeDefined();
    expect({ ...rest, outputsRemovedTime: undefined }).toEqual({ ...before, outputsRemovedTime: undefined });
    // Whatever could be reused went in the same pass, so the outputs had nothing left that stood on them.
    expect(first.outputs.removed.map((one) => one.runId)).toContain(runId);
    expect(rest.outputsRemovedTime).toBeDefined();
    expect((await own.app.call(`runs/${runId}/nodes/say/outputs/said/when`)).status).toBe(404);

    expect(await (await start()).json()).toMatchObject({ runId, archivedTime });
    expect((await report("GET")).histories.runs).not.toContain(runId);
  });
});
