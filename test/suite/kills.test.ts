// Any process may be killed at any moment: each run ends as it should, and no job is made or run twice.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listMarkedProcesses } from "#local/azureml/executor/process-table.ts";
import { processMark } from "#local/azureml/executor/processes.ts";
import { descendantsOf } from "#local/process-tree.ts";
import { startStack } from "#local/stack.ts";
import { RunDocument } from "#shared/api.ts";
import { appending, createApp, nodeOf, shell, writing } from "./app.ts";
import { openOwnStack, type OwnStack } from "./own-stack.ts";

let own: OwnStack;
beforeAll(async () => {
  own = await openOwnStack();
});
afterAll(() => own.close());

const wrote = 'printf "whole " > "${{outputs.result}}/text"';

describe("kill -9", () => {
  test.for(["host", "workspace", "storage"] as const)(
    "of the %s while a job runs costs the run nothing",
    async (part) => {
      const gate = own.gate(wrote);
      const { runId } = await own.app().start({ first: gate.node, second: appending("first", "and sound") });
      await gate.reached();
      await own.kill(part);
      await gate.open();
      const run = await own.app().ended(runId);
      expect(run.nodes.map(({ name, status, attempt }) => [name, status, attempt])).toEqual([
        ["first", "completed", 1],
        ["second", "completed", 1],
      ]);
      expect(await own.app().read(runId, "second", "result", "text")).toBe("whole and sound");
      expect(await gate.starts()).toBe(1);
      // The workspace counts from its own start.
      const names = (await own.controls().jobPuts(runId)).map(({ jobName }) => jobName);
      expect(names).toEqual(part === "workspace" ? [`${runId}-second-1`] : [`${runId}-first-1`, `${runId}-second-1`]);
    },
  );

  test("of the host while the job ends loses neither the end nor the log", async () => {
    const gate = own.gate(`echo last words; ${wrote}`);
    const { runId } = await own.app().start({ first: gate.node });
    await gate.reached();
    const jobName = `${runId}-first-1`;
    // Its host cannot be told: it is dead when the marker is written.
    process.kill(own.stack().pids().host, "SIGSTOP");
    await gate.open();
    while ((await own.controls().job(jobName)).statuses.at(-1)?.status !== "Completed") await delay(50);
    await own.kill("host");
    const run = await own.app().ended(runId);
    expect(run.status).toBe("completed");
    expect(await own.app().log(runId, "first")).toBe("begun\nlast words\n");
    expect(await own.controls().jobPuts(runId)).toHaveLength(1);
  });

  test("of the host again and again while a run starts makes no job twice", async () => {
    const another = await openOwnStack();
    const jobs = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`n${index}`, writing(`${index}`)]));
    const body = { pipeline: { type: "pipeline", jobs, settings: { force_rerun: true } } };
    const headers = { "idempotency-key": "the same every time" };
    const ask = () => another.app().call("runs", { method: "POST", headers, body });
    for (const ms of [20, 60, 180]) {
      // Told or not, the caller asks again.
      const asked = ask().then(
        (answer) => answer.text(),
        () => "",
      );
      await delay(ms);
      await another.kill("host");
      await asked;
    }
    const answer = await ask();
    expect(answer.status).toBe(202);
    const { runId } = RunDocument.parse(await answer.json());
    const run = await another.app().ended(runId);
    expect(run.nodes.map(({ status, attempt }) => [status, attempt])).toEqual(run.nodes.map(() => ["completed", 1]));
    const { jobPuts } = await another.controls().counters();
    const made = jobPuts.filter(({ status }) => status === 201).map(({ jobName }) => jobName);
    expect(made.toSorted()).toEqual(run.nodes.map(({ name }) => `${runId}-${name}-1`));
    await another.close();
  });

  const triedOnce = { resources: { properties: { mlpipe: { retry: { out_of_memory: { max_attempts: 1 } } } } } };

  test("of the program in a job fails the node with its log's last lines, and the run", async () => {
    const gate = own.gate("true", triedOnce);
    const { runId } = await own.app().start({ train: gate.node, score: appending("train", "x") });
    await gate.reached();
    await killJob(`${runId}-train-1`, "program");
    expect(await remainsOf(runId)).toEqual(killed);
    expect(nodeOf((await own.app().getRun(runId)).document, "train").failure?.exitCode).toBe(137);
  });

  test("of everything in a job, so that it cannot say that it has ended, does the same where it may not be tried again", async () => {
    const retry = { lost: { max_attempts: 1 } };
    const gate = own.gate("true", { resources: { properties: { mlpipe: { retry } } } });
    const { runId } = await own.app().start({ train: gate.node, score: appending("train", "x") });
    await gate.reached();
    await killJob(`${runId}-train-1`, "everything");
    expect(await remainsOf(runId)).toEqual(killed);
  });

  test("of everything in a job costs the run one attempt", async () => {
    const retry = { lost: { delay: 0 } };
    const gate = own.gate(wrote, { resources: { properties: { mlpipe: { retry } } } });
    const { runId } = await own.app().start({ first: gate.node, second: appending("first", "and sound") });
    await gate.reached();
    await killJob(`${runId}-first-1`, "everything");
    await gate.open();
    const run = await own.app().ended(runId);
    expect(run.nodes.map(({ name, status, attempt }) => [name, status, attempt])).toEqual([
      ["first", "completed", 2],
      ["second", "completed", 1],
    ]);
    expect(await own.app().read(runId, "second", "result", "text")).toBe("whole and sound");
    expect(await gate.starts()).toBe(2);
  });
});

/** What is left of a run of `train` and `score` whose training was killed. */
async function remainsOf(runId: string) {
  const run = await own.app().ended(runId);
  const { failure } = nodeOf(run, "train");
  return {
    status: run.status,
    nodes: run.nodes.map(({ name, status, attempt }) => `${name} ${status} ${attempt}`),
    blamed: run.failure?.node,
    firstLogLine: failure?.logTail?.[0],
    saysKilled: /137|signal 9|killed/i.test(failure?.reason ?? ""),
    puts: (await own.controls().jobPuts(runId)).length,
    processes: await own.jobProcesses(`${runId}-train-1`),
  };
}

const killed = {
  status: "failed",
  nodes: ["train failed 1", "score skipped 0"],
  blamed: "train",
  firstLogLine: "begun",
  saysKilled: true,
  puts: 1,
  processes: [],
};

/** Kills what runs the author's command, or the whole tree with the shells around it. */
async function killJob(jobName: string, what: "program" | "everything"): Promise<void> {
  const pids = await own.jobProcesses(jobName);
  const tree = await Promise.all(pids.map(async (pid) => ({ pid, size: (await descendantsOf(pid)).length })));
  const outermostFirst = tree.toSorted((a, b) => b.size - a.size).map(({ pid }) => pid);
  // The emulator's shell, then the submitted script, then its subshell with the author's command.
  const victims = what === "everything" ? outermostFirst : outermostFirst.slice(2);
  expect(victims.length).toBeGreaterThan(0);
  for (const pid of victims) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The `sleep` of a moment ago.
    }
  }
}

describe("a stack", () => {
  test("that is stopped leaves no job running, and starts it over when it comes back", async () => {
    const gate = own.gate(wrote);
    const { runId } = await own.app().start({ first: gate.node, second: appending("first", "and sound") });
    await gate.reached();
    expect(await own.jobProcesses(`${runId}-first-1`)).not.toEqual([]);
    await own.restart(async () => {
      expect(await own.jobProcesses()).toEqual([]);
      await gate.open();
    });
    const run = await own.app().ended(runId);
    expect(run.status).toBe("completed");
    expect(run.nodes.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(await own.app().read(runId, "second", "result", "text")).toBe("whole and sound");
    expect(await gate.starts()).toBe(2);
    expect((await own.controls().jobPuts(runId)).map(({ jobName }) => jobName)).toEqual([`${runId}-second-1`]);
  });

  test("whose own process is killed takes its job with it, and both come back", async () => {
    const home = await mkdtemp(join(tmpdir(), "mlpipe-killed-"));
    const owner = fork(fileURLToPath(new URL("../local/stack/run-stack.ts", import.meta.url)), [home], {
      execArgv: [],
    });
    const [address] = (await once(owner, "message")) as [{ url: string; key: string }];
    const { runId } = await createApp(address).start({
      node: shell("echo begun; until [ -e stop ]; do sleep 0.05; done", {
        outputs: { result: { type: "uri_folder" } },
      }),
    });
    const jobProcesses = async () => {
      const marked = await listMarkedProcesses(processMark);
      return marked.filter(({ value }) => value.startsWith(home)).map(({ pid }) => pid);
    };
    while ((await jobProcesses()).length < 3) await delay(20);
    owner.kill("SIGKILL");
    await once(owner, "exit");
    while ((await jobProcesses()).length > 0) await delay(50);

    const stack = await startStack({ home });
    const app = createApp(stack);
    await app.until(runId, (run) => nodeOf(run, "node").status === "running");
    while ((await jobProcesses()).length < 3) await delay(20);
    expect((await app.call(`runs/${runId}/cancel`, { method: "POST", body: {} })).status).toBe(202);
    expect((await app.ended(runId)).status).toBe("canceled");
    await stack.stop();
    expect(await jobProcesses()).toEqual([]);
    await rm(home, { recursive: true, force: true });
  });
});
