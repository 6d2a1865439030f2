import { readFile, readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerClient } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { startStorage } from "./start-storage.ts";

test("a stop the moment after a write loses nothing", async () => {
  const storage = await startStorage({});
  const blob = await write(storage, "last word");
  await storage.restart();
  expect((await blob.downloadToBuffer()).toString()).toBe("last word");
  await storage.close();
});

test("a killed storage process loses nothing and leaves no Azurite behind", async () => {
  const storage = await startStorage({});
  const blob = await write(storage, "before the kill");
  const [azurite = 0] = await childrenOf(storage.pid());
  await storage.kill();
  await storage.start();
  expect((await blob.downloadToBuffer()).toString()).toBe("before the kill");
  expect(await isAlive(azurite)).toBe(false);
  await storage.close();
});

test("a killed Azurite loses nothing that it acknowledged, and the process before it ends", async () => {
  const storage = await startStorage({});
  await storage.blobs.createContainer("kept");
  const container = storage.blobs.getContainerClient("kept");
  const acknowledged = new Map<string, string>();
  const writing = Array.from({ length: 4 }, (_, writer) => writeOn(container, writer, acknowledged));
  for (const count of [5, 30, 80]) {
    while (acknowledged.size < count) await delay(1);
    const [azurite = 0] = await childrenOf(storage.pid());
    process.kill(azurite, "SIGKILL");
    while (await isAlive(storage.pid())) await delay(5);
    await storage.start();
  }
  await Promise.all(writing);
  const found = new Map<string, string>();
  for (const name of acknowledged.keys()) {
    const blob = container.getBlobClient(name);
    found.set(name, (await blob.exists()) ? (await blob.downloadToBuffer()).toString() : "gone");
  }
  expect(found).toEqual(acknowledged);
  await storage.close();
});

/** Writes small blobs, some over an earlier one, some in blocks, some deleted again, through whatever happens to the account. */
async function writeOn(container: ContainerClient, writer: number, acknowledged: Map<string, string>): Promise<void> {
  for (let i = 0; i < 40; i += 1) {
    const name = `${writer}/${i % 30}`;
    const text = `${writer} ${i}`.repeat(1 + (i % 3));
    const blob = container.getBlockBlobClient(name);
    await untilItWorks(async () => {
      if (i % 7 !== 3) return blob.upload(text, text.length);
      const id = Buffer.from(`block-${i}`).toString("base64");
      await blob.stageBlock(id, text, text.length);
      return blob.commitBlockList([id]);
    });
    acknowledged.set(name, text);
    if (i % 11 !== 5) continue;
    await untilItWorks(() => blob.deleteIfExists());
    acknowledged.set(name, "gone");
  }
}

async function untilItWorks(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const worked = await act().then(
      () => true,
      () => false,
    );
    if (worked) return;
    await delay(20);
  }
}

async function write(storage: Awaited<ReturnType<typeof startStorage>>, text: string) {
  await storage.blobs.createContainer("kept");
  const blob = storage.blobs.getContainerClient("kept").getBlockBlobClient("text");
  await blob.upload(text, text.length);
  return blob;
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8")));
  return lists.join(" ").split(/\s+/).filter(Boolean).map(Number);
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}
