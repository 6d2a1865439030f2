import { readFile, readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
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

test("a killed Azurite loses nothing that is older than its last save, and the process before it ends", async () => {
  const storage = await startStorage({});
  const blob = await write(storage, "saved");
  await delay(1000);
  const [azurite = 0] = await childrenOf(storage.pid());
  process.kill(azurite, "SIGKILL");
  while (await isAlive(storage.pid())) await delay(20);
  await storage.start();
  expect((await blob.downloadToBuffer()).toString()).toBe("saved");
  await storage.close();
});

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
