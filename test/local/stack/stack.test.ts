import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listMarkedProcesses } from "#local/azureml/executor/process-table.ts";
import { findStack, startStack, type Stack } from "#local/stack.ts";

// Every process of a stack inherits this, wherever it ends up in the process tree.
process.env.MLPIPE_TEST_STACK = String(process.pid);
const processesOfStack = async (mark = String(process.pid)) =>
  (await listMarkedProcesses("MLPIPE_TEST_STACK")).filter(({ value }) => value === mark);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-stack-"));
  process.env.MLPIPE_CACHE = join(folder, "cache");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function statusOf({ url, key }: Pick<Stack, "url" | "key">): Promise<number> {
  const answer = await fetch(`${url}/api/runs`, { headers: { "x-functions-key": key } });
  await answer.text();
  return answer.status;
}

describe("a stack", () => {
  let stack: Stack;
  let home: string;
  const told: string[] = [];
  beforeAll(async () => {
    home = join(folder, "home");
    stack = await startStack({ home, onProgress: (text) => told.push(text) });
  });
  afterAll(() => stack.stop());

  test("serves the app's API to those who show its key", async () => {
    expect(await statusOf(stack)).toBe(200);
    expect(await statusOf({ url: stack.url, key: "wrong" })).toBe(401);
    expect(told.map((text) => text.split(" ").slice(0, 3).join(" ")).toSorted()).toEqual([
      "host is ready",
      "storage is ready",
      "workspace is ready",
    ]);
  });

  test("is found by its folder, and a second start on it is refused", async () => {
    expect(await findStack(home)).toEqual({ url: stack.url, key: stack.key, pid: process.pid });
    expect(await findStack(join(folder, "elsewhere"))).toBeUndefined();
    await expect(startStack({ home })).rejects.toMatchObject({ code: "Conflict" });
    expect(await statusOf(stack)).toBe(200);
  });

  test("tells the app of an end marker as soon as it is written, and of no other blob", async () => {
    const blobs = BlobServiceClient.fromConnectionString(stack.storage.connectionString);
    const containers: string[] = [];
    for await (const { name } of blobs.listContainers()) containers.push(name);
    const store = containers.find((name) => name.startsWith("azureml-blobstore-"));
    const container = blobs.getContainerClient(store ?? "");
    for (const name of ["model/weights", ".ended.json"]) {
      await container.getBlockBlobClient(`mlpipe/runs/nobody_knows_me/train/1/${name}`).upload("{}", 2);
    }
    const log = join(home, "logs", "storage.log");
    let text = "";
    while (!text.includes("event delivered")) {
      await delay(20);
      text = await readFile(log, "utf8");
    }
    expect(text).toContain("mlpipe/runs/nobody_knows_me/train/1/.ended.json");
    expect(text).not.toContain("weights");
  });

  test.for(["host", "workspace", "storage"] as const)(
    "brings its %s back after a kill, at the same address",
    async (part) => {
      const before = stack.pids()[part];
      process.kill(before, "SIGKILL");
      const address = { host: stack.url, workspace: stack.workspace.mlflowUrl, storage: stack.storage.url }[part];
      while (stack.pids()[part] === before) await delay(20);
      await expect
        .poll(
          () =>
            fetch(address).then(
              (answer) => answer.status,
              () => 0,
            ),
          { timeout: 20_000 },
        )
        .toBeGreaterThan(0);
      expect(await statusOf(stack)).toBe(200);
    },
  );

  test("is gone with all its processes when it has stopped", async () => {
    await stack.stop();
    expect(await processesOfStack()).toEqual([]);
    expect(await findStack(home)).toBeUndefined();
    expect(existsSync(join(home, "stack.json"))).toBe(false);
  });
});

test("a stack whose process is killed leaves nothing running, and the next one goes on in its folder", async () => {
  const home = join(folder, "killed");
  const mark = `killed-${process.pid}`;
  const owner = fork(fileURLToPath(new URL("run-stack.ts", import.meta.url)), [home], {
    execArgv: [],
    env: { ...process.env, MLPIPE_TEST_STACK: mark },
  });
  const [{ key }] = (await once(owner, "message")) as [{ key: string }];
  owner.kill("SIGKILL");
  await once(owner, "exit");
  // At once: those of before may still be ending.
  const stack = await startStack({ home });
  expect(stack.key).toBe(key);
  expect(await statusOf(stack)).toBe(200);
  expect(await processesOfStack(mark)).toEqual([]);
  await stack.stop();
});

test("an app that cannot be loaded is named, and nothing keeps running", async () => {
  const home = join(folder, "broken");
  await expect(startStack({ home, entry: "no-such-file.ts" })).rejects.toThrow(/host cannot start: .*no-such-file\.ts/);
  expect(await processesOfStack()).toEqual([]);
  expect(await findStack(home)).toBeUndefined();
});
