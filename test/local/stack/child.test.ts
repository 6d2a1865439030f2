import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startTimeOf } from "#local/azureml/executor/process-table.ts";
import { openChildLog } from "#local/child-log.ts";
import { startChild, type Child } from "#local/child.ts";
import { descendantsOf } from "#local/process-tree.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function start(options: object, healthyMs?: number) {
  const folder = await mkdtemp(join(tmpdir(), "mlpipe-child-"));
  const file = join(folder, "child.log");
  const started: number[] = [];
  const restarts: string[] = [];
  const recoveries: number[] = [];
  const child: Child = startChild({
    name: "child",
    module: new URL("fake-child.ts", import.meta.url),
    options,
    environment: process.env,
    log: openChildLog(file),
    onStart: (pid) => started.push(pid),
    onRestart: (reason) => restarts.push(reason),
    onRecovered: (goneMs) => recoveries.push(goneMs),
    healthyMs,
  });
  endings.push(async () => {
    await child.stop(2000);
    await rm(folder, { recursive: true, force: true });
  });
  return { child, started, restarts, recoveries, log: () => readFile(file, "utf8") };
}

test("a child that is killed is started again with the same options", async () => {
  const { child, started, restarts, recoveries } = await start({ says: "hello" });
  await child.ready;
  process.kill(child.pid(), "SIGKILL");
  while (recoveries.length < 1) await delay(20);
  expect(restarts).toEqual(["killed by SIGKILL"]);
  expect(started).toHaveLength(2);
  expect(started[1]).not.toBe(started[0]);
});

test("a child that serves each time is started again however often it is killed, where that counts as health", async () => {
  const { child, restarts, recoveries } = await start({}, 0);
  await child.ready;
  for (let deaths = 1; deaths <= 6; deaths += 1) {
    process.kill(child.pid(), "SIGKILL");
    while (recoveries.length < deaths) await delay(10);
  }
  expect(restarts).toHaveLength(6);
});

test("a child that says it cannot start is given up at once with its reason", async () => {
  const { child, started } = await start({ fails: "main.ts: no such file" });
  await expect(child.ready).rejects.toThrow("child cannot start: main.ts: no such file");
  expect((await child.failed).message).toContain("main.ts: no such file");
  expect(started).toHaveLength(1);
});

test("a child that keeps ending is given up with the last lines it printed", async () => {
  const { child, started } = await start({ exits: 7, says: "Error: the disk is full" });
  await expect(child.ready).rejects.toThrow(/5 times in a row \(exit code 7\)[^]*the disk is full/);
  expect(started).toHaveLength(5);
});

test("a stopped child is not started again", async () => {
  const { child, started } = await start({});
  await child.ready;
  await child.stop(5000);
  expect(child.pid()).toBe(0);
  expect(await startTimeOf(started[0] ?? 0)).toBeUndefined();
  expect(started).toHaveLength(1);
});

test("a child that does not stop is killed with everything below it", async () => {
  const { child, started } = await start({ isDeaf: true, spawns: true });
  await child.ready;
  const below = await descendantsOf(started[0] ?? 0);
  expect(below).toHaveLength(1);
  await child.stop(100);
  for (const pid of [...started, ...below]) {
    while ((await startTimeOf(pid)) !== undefined) await delay(10);
  }
});

test("what a child prints is kept without the keys in it", async () => {
  const says = "POST http://127.0.0.1:1/hook?functionName=f&code=abcdef";
  const { child, log } = await start({ says });
  await child.ready;
  await child.stop(5000);
  const text = await log();
  expect(text).toContain("functionName=f&code=…");
  expect(text).not.toContain("abcdef");
});
