import { expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();
const hour = 3_600_000;

interface RaceInput {
  readonly timerMs: number;
  readonly isCanceling?: boolean;
}

df.app.orchestration("race", function* (context) {
  const { timerMs, isCanceling }: RaceInput = context.df.getInput();
  const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + timerMs));
  const event = context.df.waitForExternalEvent("go");
  const winner = yield context.df.Task.any([timer, event]);
  if (winner === event && isCanceling === true) timer.cancel();
  return winner === event ? `event ${String(event.result)}` : "timer";
});
df.app.orchestration("twoWaits", function* (context) {
  const first = context.df.waitForExternalEvent("go");
  const second = context.df.waitForExternalEvent("go");
  yield context.df.Task.all([first, second]);
  return [first.result, second.result];
});
df.app.orchestration("inTurn", function* (context) {
  const seen: unknown[] = [];
  for (const name of ["a", "b", "a", "b"]) seen.push(yield context.df.waitForExternalEvent(name));
  return seen;
});
df.app.orchestration("sleep", function* (context) {
  const from = context.df.currentUtcDateTime.getTime();
  const { ms, isCanceling }: { ms: number; isCanceling?: boolean } = context.df.getInput();
  const timer = context.df.createTimer(new Date(from + ms));
  if (isCanceling === true) {
    yield context.df.Task.any([timer, context.df.waitForExternalEvent("go")]);
    timer.cancel();
  } else yield timer;
  return context.df.currentUtcDateTime.getTime() - from;
});

test("an event that comes before a far timer wins, and the canceled timer does not hold the instance", async () => {
  const { client, until } = await start();
  const id = await client.startNew("race", { input: { timerMs: hour, isCanceling: true } });
  await client.raiseEvent(id, "go", 7);
  expect((await until(id)).output).toBe("event 7");
});

test("a losing timer that is not canceled keeps the instance Running", async () => {
  const { client, until, complete } = await start();
  const id = await client.startNew("race", { input: { timerMs: hour } });
  await client.raiseEvent(id, "go", 7);
  await until(id, "Running");
  // Another instance runs through meanwhile, so the first has had its chance.
  await complete("race", { timerMs: 1 });
  await expect.poll(async () => (await history(id)).map(({ EventType }) => EventType)).toContain("EventRaised");
  expect((await client.getStatus(id)).runtimeStatus).toBe("Running");

  async function history(instanceId: string): Promise<{ EventType: string }[]> {
    const url = client.createHttpManagementPayload(instanceId).statusQueryGetUri;
    const response = await fetch(`${url}&showHistory=true`);
    return ((await response.json()) as { historyEvents: { EventType: string }[] }).historyEvents;
  }
});

test("a timer that fires first wins, and an event afterwards changes nothing", async () => {
  const { complete, client } = await start();
  const status = await complete("race", { timerMs: 20 });
  expect(status.output).toBe("timer");
  await client.raiseEvent(status.instanceId, "go", 7);
  expect((await client.getStatus(status.instanceId)).output).toBe("timer");
});

test("a timer in the past fires at once", async () => {
  const { complete } = await start();
  expect((await complete("race", { timerMs: -hour })).output).toBe("timer");
});

test("of two waits on one name the last one is served first", async () => {
  const { client, until } = await start();
  const id = await client.startNew("twoWaits");
  await until(id, "Running");
  await client.raiseEvent(id, "go", 1);
  await client.raiseEvent(id, "go", 2);
  expect((await until(id)).output).toEqual([2, 1]);
});

test("events that nobody waits for are kept in order, name by name", async () => {
  const { client, until } = await start();
  const id = await client.startNew("inTurn");
  for (const [name, value] of [
    ["b", 1],
    ["b", 2],
    ["a", 3],
    ["a", 4],
  ] as const)
    await client.raiseEvent(id, name, value);
  expect((await until(id)).output).toEqual([3, 1, 4, 2]);
});

test("an event in another case is never seen, and the log says so", async () => {
  const { client, log, until } = await start();
  const id = await client.startNew("race", { input: { timerMs: hour, isCanceling: true } });
  await until(id, "Running");
  await client.raiseEvent(id, "GO", 1);
  await expect.poll(() => log.join()).toContain("event 'GO' is never seen");
  await client.raiseEvent(id, "go", 2);
  expect((await until(id)).output).toBe("event 2");
});

test("an event named like a task id is refused", async () => {
  const { client } = await start();
  const id = await client.startNew("race", { input: { timerMs: hour } });
  await expect(client.raiseEvent(id, "0", null)).rejects.toThrow("400");
});

test("a timer beyond the limit is split into hops and ends no earlier than asked", async () => {
  const { complete, extension } = await start({ embedded: { maximumShortTimer: 50, longRunningTimerInterval: 30 } });
  const { instanceId, runtimeStatus, output } = await complete("sleep", { ms: 100 });
  expect(runtimeStatus).toBe("Completed");
  expect(output).toBeGreaterThanOrEqual(100);
  const response = await fetch(`${extension.rpcUrl()}instances/${instanceId}?showHistory=true`);
  const { historyEvents } = (await response.json()) as { historyEvents: { EventType: string }[] };
  expect(historyEvents.filter(({ EventType }) => EventType === "TimerFired").length).toBeGreaterThanOrEqual(3);
});

test("a long timer canceled after its first hop fails the instance, as it does in the cloud", async () => {
  const { client, until, extension } = await start({
    embedded: { maximumShortTimer: 50, longRunningTimerInterval: 20 },
  });
  const id = await client.startNew("sleep", { input: { ms: hour, isCanceling: true } });
  await expect
    .poll(async () => {
      const response = await fetch(`${extension.rpcUrl()}instances/${id}?showHistory=true`);
      return JSON.stringify(await response.json());
    })
    .toContain("TimerFired");
  await client.raiseEvent(id, "go", null);
  expect((await until(id)).output).toContain("Non-Deterministic workflow detected");
});
