import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient } from "#cli/client.ts";
import { readEnvironment } from "#cli/environment.ts";
import { listLocalFiles } from "#cli/hash-files.ts";
import { createLocator, createUploader } from "#cli/store-files.ts";
import { createTerminal } from "#cli/terminal.ts";
import { type FakeApp, fakeKey, startFakeApp } from "./fake-app.ts";

let app: FakeApp;
let folder: string;
beforeEach(async () => {
  app = await startFakeApp();
  folder = await mkdtemp(join(tmpdir(), "mlpipe-store-"));
  await writeFile(join(folder, "a b.txt"), "one");
  await writeFile(join(folder, "c"), "two");
});
afterEach(async () => {
  await app.stop();
  await rm(folder, { recursive: true });
});

const silent = { ...createTerminal(readEnvironment({})), err: () => {} };
const client = () => createClient({ url: app.url, key: fakeKey });

test("what the store does not hold is sent file by file, and is not sent again", async () => {
  const store = createUploader(silent, client());
  const first = await store("data", await listLocalFiles(folder));
  expect([...app.stored].map(([path, text]) => [path.split("/").slice(1).join("/"), text])).toEqual([
    ["a b.txt", "one"],
    ["c", "two"],
  ]);
  const sent = () => app.requests.filter(({ method }) => method === "PUT").length;
  expect(sent()).toBe(2);
  expect(await store("data", await listLocalFiles(folder))).toEqual(first);
  expect(sent()).toBe(2);
});

test("locating says the same place and sends nothing", async () => {
  const located = await createLocator(client())("data", await listLocalFiles(folder));
  expect(app.stored.size).toBe(0);
  expect(await createUploader(silent, client())("data", await listLocalFiles(folder))).toEqual(located);
});

test("a store that cannot be written is Unavailable, and the signature stays out of the error", async () => {
  const files = await listLocalFiles(folder);
  app.state.isStoreClosed = true;
  const error: unknown = await createUploader(silent, client())("data", files).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "Unavailable", message: expect.stringContaining("cannot be written") as string });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("sig=");
});
