import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStackFolder, readStackFile } from "#local/stack-folder.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "mlpipe-home-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

test("a second start says who holds the folder, since when and where it serves", () => {
  const first = openStackFolder(home);
  expect(() => openStackFolder(home)).toThrow(`process ${process.pid} holds it since`);
  first.announce({ url: "http://127.0.0.1:1234", key: "secret" });
  let message = "";
  try {
    openStackFolder(home);
  } catch (error) {
    message = String(error);
  }
  expect(message).toMatch(/^Conflict: .* serves http:\/\/127\.0\.0\.1:1234/);
  expect(message).not.toContain("secret");
  first.release();
  openStackFolder(home).release();
});

test("the lock of a killed process holds nobody up, even when its id is in use again", async () => {
  const holder = fork(new URL("hold-folder.ts", import.meta.url), [home], { execArgv: [] });
  await once(holder, "message");
  expect(readStackFile(home)?.pid).toBe(holder.pid);
  expect(() => openStackFolder(home)).toThrow(`process ${holder.pid} holds it`);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  // As if the system had given the id to somebody else.
  const file = join(home, "stack.json");
  await writeFile(file, (await readFile(file, "utf8")).replace(String(holder.pid), String(process.ppid)));
  expect(readStackFile(home)).toBeUndefined();
  openStackFolder(home).release();
});

test("secrets are made once, differ between folders and are readable by their owner alone", async () => {
  const first = openStackFolder(home);
  first.release();
  const again = openStackFolder(home);
  expect(again.secrets).toEqual(first.secrets);
  again.release();
  expect((await stat(join(home, "secrets.json"))).mode & 0o077).toBe(0);
  const other = openStackFolder(join(home, "other"));
  expect(other.secrets.token).not.toBe(first.secrets.token);
  expect(other.secrets.accountKey).not.toBe(first.secrets.accountKey);
  other.release();
});

test("ports stay the same from start to start, but for one that somebody else has taken", async () => {
  const folder = openStackFolder(home);
  const first = await folder.choosePorts();
  expect(new Set(Object.values(first)).size).toBe(5);
  expect(await folder.choosePorts()).toEqual(first);
  const taker = createServer().listen(first.host, "127.0.0.1");
  await once(taker, "listening");
  const second = await folder.choosePorts();
  expect(second.host).not.toBe(first.host);
  expect({ ...second, host: 0 }).toEqual({ ...first, host: 0 });
  taker.close();
  folder.release();
});
