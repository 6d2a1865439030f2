import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "#local/host/durable/store.ts";

const app = fileURLToPath(new URL("recovery.child.ts", import.meta.url));
const result = { output: ["a", "event", "b!", "c!", "d"], customStatus: { inner: ["b!", "c!"] } };
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "durable-recovery-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(settings: object): Promise<{ signal: NodeJS.Signals | null; output: unknown; errors: string }> {
  const child = spawn(process.execPath, [app, folder, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
  let text = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.once("close", (_, by) => resolve(by)));
  return { signal, output: text === "" ? undefined : JSON.parse(text), errors };
}

const steps = () => readFileSync(join(folder, "steps"), "utf8").trim().split("\n");

test("without a kill each activity runs once", async () => {
  expect(await run({})).toMatchObject({ output: result, signal: null });
  expect(steps().toSorted()).toEqual(["a", "b", "c", "d"]);
});

test.each([
  { dieIn: "activity", runsOfB: 2 },
  { dieIn: "episode", runsOfB: 1 },
])("killed during an $dieIn, the next start ends with the same result", async ({ dieIn, runsOfB }) => {
  expect((await run({ dieIn })).signal).toBe("SIGKILL");
  expect((await run({ dieIn })).output).toEqual(result);
  expect(new Set(steps())).toEqual(new Set(["a", "b", "c", "d"]));
  expect(steps().filter((step) => step === "b")).toHaveLength(runsOfB);
});

test.each([
  { crashAt: 1, crashWhen: "before" },
  { crashAt: 2, crashWhen: "after" },
  { crashAt: 4, crashWhen: "before" },
  { crashAt: 6, crashWhen: "after" },
  { crashAt: 8, crashWhen: "before" },
  { crashAt: 10, crashWhen: "after" },
  { crashAt: 12, crashWhen: "before" },
  { crashAt: 14, crashWhen: "after" },
])("killed $crashWhen durable write $crashAt, the next start ends with the same result", async (embedded) => {
  expect((await run({ embedded })).signal).toBe("SIGKILL");
  expect((await run({})).output).toEqual(result);
  expect(new Set(steps())).toEqual(new Set(["a", "b", "c", "d"]));
});

test("a state file that is held, or that a newer version wrote, is refused with its name", () => {
  const file = join(folder, "state.db");
  const store = openStore(file);
  expect(() => openStore(file)).toThrow(`Durable state ${file}: another process holds it`);
  store.close();
  openStore(file).close();
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99");
  db.close();
  expect(() => openStore(file)).toThrow(`Durable state ${file}: a newer version wrote it`);
});
