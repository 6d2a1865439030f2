// The switches that make this host as unkind as the cloud on its worst day.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();
let runs = 0;
beforeEach(() => {
  runs = 0;
});

df.app.activity("work", {
  handler: (value: number) => {
    runs += 1;
    if (value === 13) throw new Error("unlucky");
    return value;
  },
});
df.app.orchestration("part", function* (context) {
  const value: number = context.df.getInput();
  return (yield context.df.callActivity("work", value)) * 10;
});
df.app.orchestration("whole", function* (context) {
  const input: number[] = context.df.getInput();
  const go: number = yield context.df.waitForExternalEvent("go");
  const parts: number[] = yield context.df.Task.all(
    input.map((value) => context.df.callSubOrchestrator("part", value, `${context.df.instanceId}:${value}`)),
  );
  let unlucky = "";
  try {
    yield context.df.callActivityWithRetry("work", new df.RetryOptions(1, 2), 13);
  } catch (error) {
    unlucky = (error as Error).message;
  }
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 5));
  const last: number = yield context.df.callActivity("work", 7);
  return { go, parts, isUnlucky: unlucky.includes("unlucky"), last };
});
df.app.orchestration("collector", function* (context) {
  const seen: number[] = [];
  while (seen.length < 20) seen.push(yield context.df.waitForExternalEvent("item"));
  return seen;
});
df.app.orchestration("fetches", function* (context) {
  const { url, isPolling }: { url: string; isPolling: boolean } = context.df.getInput();
  const response = (yield context.df.callHttp({
    method: "GET",
    url,
    enablePolling: isPolling,
  })) as { statusCode: number; content: string };
  const after: number = yield context.df.callActivity("work", 1);
  return { statusCode: response.statusCode, content: response.content, after };
});

test.each([
  { embedded: {}, activities: 6 },
  { embedded: { replayTwice: true }, activities: 6 },
  { embedded: { duplicateActivityDelivery: true }, activities: 12 },
  { embedded: { rollbackAfterSend: true }, activities: 7 },
  {
    embedded: { shuffleEvents: 4, duplicateActivityDelivery: true, rollbackAfterSend: true, replayTwice: true },
    activities: 12,
  },
])("the result is the same with $embedded", async ({ embedded, activities }) => {
  const { client, until } = await start({ embedded });
  const id = await client.startNew("whole", { input: [1, 2, 3] });
  await client.raiseEvent(id, "go", 5);
  expect((await until(id)).output).toEqual({ go: 5, parts: [10, 20, 30], isUnlucky: true, last: 7 });
  expect(runs).toBeGreaterThanOrEqual(activities);
});

test("shuffled events all arrive", async () => {
  const { client, until } = await start({ embedded: { shuffleEvents: 1 } });
  const id = await client.startNew("collector");
  const items = Array.from({ length: 20 }, (_, index) => index);
  await Promise.all(items.map((item) => client.raiseEvent(id, "item", item)));
  expect(((await until(id)).output as number[]).toSorted((a, b) => a - b)).toEqual(items);
});

test("a thousand children and three hundred instances at once complete", async () => {
  const { client, until, complete } = await start();
  const many = Array.from({ length: 300 }, async (_, index) => {
    const id = await client.startNew("part", { input: index });
    return (await until(id)).output;
  });
  const id = await client.startNew("whole", { input: Array.from({ length: 1000 }, (_, index) => index + 100) });
  await client.raiseEvent(id, "go", 1);
  expect(((await until(id)).output as { parts: number[] }).parts).toHaveLength(1000);
  expect(await Promise.all(many)).toContain(2990);
  expect((await complete("part", 2)).output).toBe(20);
});

test.each([
  { isPolling: true, expected: { statusCode: 200, content: "done after 3", after: 1 } },
  { isPolling: false, expected: { statusCode: 202, content: "not yet", after: 1 } },
])("callHttp follows a 202 when it polls: $isPolling", async ({ isPolling, expected }) => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    if (calls < 3) response.writeHead(202, { location: `${url()}/status` }).end("not yet");
    else response.end(`done after ${calls}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { complete } = await start({ options: { httpSettings: { defaultAsyncRequestSleepTimeMilliseconds: 5 } } });
  expect((await complete("fetches", { url: url(), isPolling })).output).toEqual(expected);
  server.close();
});

test("a wrong option is named", async () => {
  await expect(start({ embedded: { replayTwice: "yes" } })).rejects.toThrow("replayTwice must be true or false");
  await expect(start({ options: { maxConcurrentActivityFunctions: -1 } })).rejects.toThrow(
    "maxConcurrentActivityFunctions must be a whole number",
  );
});
