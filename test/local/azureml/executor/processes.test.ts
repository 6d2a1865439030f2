import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Executor, JobExecution, JobPhase } from "#local/azureml/executor/contract.ts";
import { createExecutor } from "#local/azureml/executor/executor.ts";
import { startTimeOf } from "#local/azureml/executor/process-table.ts";
import type { ExecutorProcessRequest } from "./executor-process.ts";
import { job, makeFolder, output, until } from "./job-fixture.ts";
import { startBlobStore } from "./start-blob-store.ts";
import type { BlobStore } from "./start-blob-store.ts";

const quiet = () => undefined;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let blobs: BlobStore;
let started: Executor[];

beforeAll(async () => {
  [folder, blobs] = await Promise.all([makeFolder(), startBlobStore()]);
  started = [];
});

afterAll(async () => {
  await Promise.all(started.map((executor) => executor.stop()));
  await blobs.stop();
  await folder.remove();
});

function start(graceMs = 10_000): Executor {
  const options = { stateFolder: join(folder.path, "state"), cacheFolder: join(folder.path, "cache") };
  const executor = createExecutor({ ...options, datastores: blobs.datastores, log: quiet, graceMs });
  started.push(executor);
  return executor;
}

const place = (execution: JobExecution, name: string) => join(folder.path, "state", "jobs", execution.jobName, name);
const log = (execution: JobExecution) =>
  blobs.read(`ExperimentRun/dcid.${execution.jobName}/user_logs/std_log.txt`, "workspaceartifactstore");
const isGone = (pid: number) => expect.poll(() => startTimeOf(pid)).toBeUndefined();

/** Pids that the command wrote into its work folder's `pids`, once there are `count`. */
function pidsOf(execution: JobExecution, count: number): Promise<number[]> {
  return until(async () => {
    const text = await readFile(place(execution, "exe/wd/pids"), "utf8").catch(() => "");
    const pids = text.trim().split("\n").map(Number);
    return text.endsWith("\n") && pids.length === count ? pids : undefined;
  });
}

/** Runs the job in an executor of its own process; `kill` is `kill -9` of that process alone. */
function startApart(execution: JobExecution) {
  const request: ExecutorProcessRequest = {
    folder: join(folder.path, "state"),
    cacheFolder: join(folder.path, "cache"),
    port: blobs.port,
    execution,
  };
  const script = fileURLToPath(new URL("executor-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(request)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return {
    lines,
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("killed", () => {
  test("the program alone: the job fails with 137 and its log's last lines", async () => {
    const execution = job("echo before; python -c 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'; exit $?");
    const end = await start().run(execution, quiet);
    expect(end).toMatchObject({
      status: "Failed",
      exitCode: 137,
      code: "UserError",
      message: expect.stringContaining("before"),
    });
    expect(await log(execution)).toContain("before\n");
  });

  test("the whole group: the node counts as lost, the job's log and what it wrote are kept", async () => {
    const execution = job("echo before; echo 1 > ${{outputs.o}}/x; kill -9 0", {
      outputs: { o: output("uri_folder", "killed/o") },
    });
    expect(await start().run(execution, quiet)).toMatchObject({
      status: "Failed",
      code: "NodeLost",
      message: expect.stringMatching(/killed[^]*before/),
    });
    expect(await log(execution)).toBe("before\n");
    expect(await blobs.read("killed/o/x")).toBe("1\n");
  });
});

describe("cancel", () => {
  test("ends the tree and tells it first", async () => {
    const execution = job("trap 'echo told; exit 1' TERM; sleep 1000 & echo $! > pids; wait");
    const executor = start();
    const phases: JobPhase[] = [];
    const end = executor.run(execution, (phase) => phases.push(phase));
    const [pid = 0] = await pidsOf(execution, 1);
    await executor.cancel(execution.jobName);
    expect(await end).toEqual({ status: "Canceled", reason: "cancel" });
    expect(phases).toEqual(["Preparing", "Running"]);
    expect(await log(execution)).toBe("told\n");
    await isGone(pid);
  });

  test("kills what does not listen, and what left the group", async () => {
    const execution = job(`
setsid bash -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done' &
python -c '
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("pids", "a").write(f"{os.getpid()}\\n"); time.sleep(1000)
    os._exit(0)
open("pids", "a").write(f"{os.getpid()}\\n"); time.sleep(1000)'`);
    const executor = start(200);
    const end = executor.run(execution, quiet);
    const pids = await pidsOf(execution, 3);
    await executor.cancel(execution.jobName);
    expect(await end).toEqual({ status: "Canceled", reason: "cancel" });
    for (const pid of pids) await isGone(pid);
  });

  test("before the process started means it never starts", async () => {
    const execution = job("touch $MARK", { environmentVariables: { MARK: join(folder.path, "never") } });
    const executor = start();
    const end = executor.run(execution, (phase) => {
      if (phase === "Preparing") void executor.cancel(execution.jobName);
    });
    await executor.cancel(execution.jobName);
    expect(await end).toEqual({ status: "Canceled", reason: "cancel" });
    expect(existsSync(join(folder.path, "never"))).toBe(false);
  });

  test("of a job it does not run changes nothing", async () => {
    await expect(start().cancel("nobody")).resolves.toBeUndefined();
  });
});

test("a job over its time ends as a timeout", async () => {
  const execution = job("echo 1 > ${{outputs.m}}/x; echo 1 > ${{outputs.u}}/x; sleep 1000 & echo $! > pids; wait", {
    timeoutSeconds: 1,
    outputs: { m: output("uri_folder", "timeout/m"), u: output("uri_folder", "timeout/u", "Upload") },
  });
  expect(await start().run(execution, quiet)).toEqual({ status: "Canceled", reason: "timeout" });
  for (const pid of await pidsOf(execution, 1)) await isGone(pid);
  expect(await blobs.list("timeout/")).toEqual(["m/x"]);
});

test("the log is there while the job runs", async () => {
  const gate = join(folder.path, "gate");
  const execution = job("echo first; until [ -e $GATE ]; do sleep 0.02; done; echo last", {
    environmentVariables: { GATE: gate },
  });
  const end = start().run(execution, quiet);
  await until(() =>
    log(execution).then(
      (text) => (text === "first\n" ? text : undefined),
      () => undefined,
    ),
  );
  await writeFile(gate, "");
  await end;
  expect(await log(execution)).toBe("first\nlast\n");
});

describe("the executor's end", () => {
  const waiting =
    "echo $$ >> $STARTS; echo early; echo $$ > pids; until [ -e $GATE ]; do sleep 0.02; done; echo late; exit 4";
  const waitingJob = (name: string) => {
    const [gate, starts] = [join(folder.path, `${name}-gate`), join(folder.path, `${name}-starts`)];
    return { gate, starts, execution: job(waiting, { environmentVariables: { GATE: gate, STARTS: starts } }) };
  };
  const startsOf = (file: string) => readFileSync(file, "utf8").trim().split("\n").length;

  test("kill -9 leaves the job running, and the next executor takes it up: one process, one log", async () => {
    const { gate, starts, execution } = waitingJob("alive");
    const first = startApart(execution);
    await until(() =>
      log(execution).then(
        (text) => text,
        () => undefined,
      ),
    );
    await first.kill();
    expect(first.lines).toEqual(["Preparing", "Running"]);
    const phases: JobPhase[] = [];
    const end = start().run(execution, (phase) => phases.push(phase));
    await until(() => phases[0]);
    await writeFile(gate, "");
    expect(await end).toMatchObject({ status: "Failed", exitCode: 4 });
    expect(phases).toEqual(["Running", "Finalizing"]);
    expect(startsOf(starts)).toBe(1);
    expect(await log(execution)).toBe("early\nlate\n");
  });

  test("a job that ended meanwhile is committed from its record", async () => {
    const { gate, starts, execution } = waitingJob("ended");
    const first = startApart(execution);
    const [pid = 0] = await pidsOf(execution, 1);
    await first.kill();
    await writeFile(gate, "");
    await isGone(pid);
    await until(() => (existsSync(place(execution, "exit")) ? true : undefined));
    const phases: JobPhase[] = [];
    expect(await start().run(execution, (phase) => phases.push(phase))).toMatchObject({
      status: "Failed",
      exitCode: 4,
    });
    expect(phases).toEqual(["Finalizing"]);
    expect(startsOf(starts)).toBe(1);
    expect(await log(execution)).toBe("early\nlate\n");
  });

  test("a taken-up job that is killed with its shell fails as lost", async () => {
    const { execution } = waitingJob("adopted");
    const first = startApart(execution);
    await pidsOf(execution, 1);
    await first.kill();
    const end = start().run(execution, (phase) => {
      const leader = Number(readFileSync(place(execution, "process"), "utf8").split(" ")[0]);
      if (phase === "Running") process.kill(-leader, "SIGKILL");
    });
    expect(await end).toMatchObject({ status: "Failed", code: "NodeLost" });
  });

  test("a taken-up job is canceled like any other, and a half-made cancel is finished", async () => {
    const { execution } = waitingJob("cancel");
    const first = startApart(execution);
    const [pid = 0] = await pidsOf(execution, 1);
    await first.kill();
    await writeFile(place(execution, "cancel"), "cancel");
    expect(await start().run(execution, quiet)).toEqual({ status: "Canceled", reason: "cancel" });
    await isGone(pid);
  });

  test("a job lost with the machine starts over", async () => {
    const { gate, starts, execution } = waitingJob("lost");
    const first = startApart(execution);
    const [pid = 0] = await pidsOf(execution, 1);
    await first.kill();
    process.kill(-Number(readFileSync(place(execution, "process"), "utf8").split(" ")[0]), "SIGKILL");
    await isGone(pid);
    await writeFile(gate, "");
    expect(await start().run(execution, quiet)).toMatchObject({ status: "Failed", exitCode: 4 });
    expect(startsOf(starts)).toBe(2);
    expect(await log(execution)).toBe("early\nlate\n");
  });

  test("stop kills the tree, and the next start begins the job again", async () => {
    const { gate, starts, execution } = waitingJob("stopped");
    const executor = start();
    let isSettled = false;
    void executor.run(execution, quiet).then(() => (isSettled = true));
    const [pid = 0] = await pidsOf(execution, 1);
    await executor.stop();
    expect(await startTimeOf(pid)).toBeUndefined();
    await rm(place(execution, "exe/wd/pids"));
    await writeFile(gate, "");
    expect(await start().run(execution, quiet)).toMatchObject({ status: "Failed", exitCode: 4 });
    expect(startsOf(starts)).toBe(2);
    expect(isSettled).toBe(false);
  });

  test("a pid that was given to somebody else is not taken for the job", async () => {
    const { gate, starts, execution } = waitingJob("reused");
    const first = startApart(execution);
    await pidsOf(execution, 1);
    await first.kill();
    const leader = Number(readFileSync(place(execution, "process"), "utf8").split(" ")[0]);
    process.kill(-leader, "SIGKILL");
    await isGone(leader);
    await writeFile(place(execution, "process"), `${process.pid} 1\n`);
    await writeFile(gate, "");
    expect(await start().run(execution, quiet)).toMatchObject({ status: "Failed", exitCode: 4 });
    expect(startsOf(starts)).toBe(2);
  });
});
