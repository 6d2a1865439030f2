import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openChildLog } from "#local/child-log.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-log-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("every start begins a new file and the three newest are kept", async () => {
  for (const name of ["first", "second", "third", "fourth"]) {
    const log = openChildLog(join(folder, "host.log"));
    log.write(name);
    log.close();
  }
  expect((await readdir(folder)).toSorted()).toEqual(["host.1.log", "host.2.log", "host.log"]);
  expect(await readFile(join(folder, "host.log"), "utf8")).toBe("fourth\n");
  expect(await readFile(join(folder, "host.2.log"), "utf8")).toBe("second\n");
});

test("a file that has grown to its limit is put aside", async () => {
  const log = openChildLog(join(folder, "host.log"), 100);
  for (let i = 0; i < 100; i++) log.write(`line ${i} of many`);
  log.close();
  const files = await readdir(folder);
  expect(files).toHaveLength(3);
  for (const file of files) expect((await readFile(join(folder, file))).length).toBeLessThan(130);
  expect(log.tail().at(-1)).toBe("line 99 of many");
});
