import { afterAll, beforeAll, expect, test } from "vitest";
import { startEndpoint, startStorage } from "./start-storage.ts";

let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
let storage: Awaited<ReturnType<typeof startStorage>>;
beforeAll(async () => {
  endpoint = await startEndpoint();
  storage = await startStorage({ subscriptions: [{ name: "all", endpoint: endpoint.url }] });
  await storage.blobs.createContainer("data");
});
afterAll(async () => {
  await storage.close();
  endpoint.close();
});

test("an event that is told to be lost is lost, the next one arrives", async () => {
  expect((await storage.setFaults({ next: { lose: 1 } })).status).toBe(200);
  const folder = storage.blobs.getContainerClient("data");
  for (const name of ["lost", "kept"]) await folder.getBlockBlobClient(name).upload("x", 1);
  const events = await endpoint.received(1);
  expect(events.map(({ subject }) => subject.split("/").at(-1))).toEqual(["kept"]);
});

test("without the stack's token nothing can be set or read", async () => {
  expect((await storage.setFaults({ lose: 1 }, "guess")).status).toBe(401);
  expect((await fetch(`${storage.url}/_embedded/faults`)).status).toBe(401);
});

test("a fault that does not exist is refused by name", async () => {
  const answer = await storage.setFaults({ looze: 1 });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("looze");
});

test("what was written is told in order, with the moment of each commit", async () => {
  const folder = storage.blobs.getContainerClient("data");
  const began = performance.timeOrigin + performance.now();
  for (const name of ["one", "two"]) await folder.getBlockBlobClient(`told/${name}`).upload("x", 1);
  await folder.getBlockBlobClient("told/one").download();
  const answer = await fetch(`${storage.url}/_embedded/commits`, {
    headers: { authorization: `Bearer ${storage.token}` },
  });
  const { commits } = (await answer.json()) as {
    commits: { container: string; blob: string; committedAtMs: number }[];
  };
  const told = commits.filter(({ blob }) => blob.startsWith("told/"));
  expect(told.map(({ container, blob }) => [container, blob])).toEqual([
    ["data", "told/one"],
    ["data", "told/two"],
  ]);
  const [first = 0, second = 0] = told.map(({ committedAtMs }) => committedAtMs);
  expect(second).toBeGreaterThan(first);
  // Both clocks count from the machine's; they may have been set a little apart.
  expect(Math.abs(first - began)).toBeLessThan(60_000);
  expect((await fetch(`${storage.url}/_embedded/commits`)).status).toBe(401);
});
