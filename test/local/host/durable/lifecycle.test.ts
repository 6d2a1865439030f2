import { expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();

df.app.activity("note", { handler: (text: string) => text });
df.app.orchestration("collect", function* (context) {
  const seen: unknown[] = [];
  for (let index = 0; index < 3; index++) seen.push(yield context.df.waitForExternalEvent("item"));
  return seen;
});
df.app.orchestration("loop", function* (context) {
  const { seen, rounds }: { seen: number[]; rounds: number } = context.df.getInput();
  const item: number = yield context.df.waitForExternalEvent("item");
  const all = [...seen, item];
  context.df.setCustomStatus({ count: all.length });
  if (rounds > 1) context.df.continueAsNew({ seen: all, rounds: rounds - 1 });
  return all;
});
df.app.orchestration("loopOnTwo", function* (context) {
  if (context.df.getInput() === true) return yield context.df.waitForExternalEvent("early");
  yield context.df.waitForExternalEvent("next");
  context.df.continueAsNew(true);
  return null;
});
df.app.orchestration("loopOnText", function* (context) {
  const input: string = context.df.getInput();
  if (input === "first") context.df.continueAsNew("second");
  else yield context.df.callActivity("note", "x");
  return input;
});
df.app.orchestration("callsWaiting", function* (context) {
  try {
    return yield context.df.callSubOrchestrator("collect", null, "waiting-child");
  } catch (error) {
    return (error as Error).message;
  }
});

test("a loop over continueAsNew carries its state, its custom status and the events that come later", async () => {
  const { client, until } = await start();
  const id = await client.startNew("loop", { input: { seen: [], rounds: 4 } });
  for (const item of [1, 2, 3]) {
    await client.raiseEvent(id, "item", item);
    await expect.poll(async () => (await client.getStatus(id)).customStatus).toEqual({ count: item });
  }
  await client.raiseEvent(id, "item", 4);
  expect((await until(id)).output).toEqual([1, 2, 3, 4]);
});

test("events that arrive with the one that ends a round belong to the next round", async () => {
  const { client, until } = await start();
  const id = await client.startNew("loop", { input: { seen: [], rounds: 3 } });
  await Promise.all([1, 2, 3].map((item) => client.raiseEvent(id, "item", item)));
  const { output } = await until(id);
  expect((output as number[]).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
});

test("an event that lay unread before continueAsNew is lost with the old execution", async () => {
  const { client, until, extension } = await start();
  const id = await client.startNew("loopOnTwo");
  await until(id, "Running");
  await client.raiseEvent(id, "early", "lost");
  const history = async () => (await fetch(`${extension.rpcUrl()}instances/${id}?showHistory=true`)).text();
  await expect.poll(history).toContain("early");
  await client.raiseEvent(id, "next", null);
  await expect.poll(async () => (await client.getStatus(id)).input).toBe(true);
  await client.raiseEvent(id, "early", "kept");
  expect((await until(id)).output).toBe("kept");
});

test("a text given to continueAsNew comes back with its quotes", async () => {
  const { complete } = await start();
  expect((await complete("loopOnText", "first")).output).toBe('"second"');
});

test("a suspended instance keeps its events for later, in order", async () => {
  const { client, until } = await start();
  const id = await client.startNew("collect");
  await client.raiseEvent(id, "item", 1);
  await client.suspend(id, "a break");
  await until(id, "Suspended");
  await expect(client.suspend(id, "again")).rejects.toThrow("500");
  await client.raiseEvent(id, "item", 2);
  await client.raiseEvent(id, "item", 3);
  expect((await client.getStatus(id)).runtimeStatus).toBe("Suspended");
  await client.resume(id, "on");
  expect((await until(id)).output).toEqual([1, 2, 3]);
});

test("resuming what is not suspended is refused", async () => {
  const { client, until } = await start();
  const id = await client.startNew("collect");
  await until(id, "Running");
  await expect(client.resume(id, "why")).rejects.toThrow("500");
});

test("a terminated instance ends with the reason as its output, also while suspended", async () => {
  const { client, until } = await start();
  for (const isSuspended of [false, true]) {
    const id = await client.startNew("collect");
    if (isSuspended) {
      await client.suspend(id, "a break");
      await until(id, "Suspended");
    }
    await client.terminate(id, "no longer needed");
    expect(await until(id)).toMatchObject({ runtimeStatus: "Terminated", output: "no longer needed" });
  }
});

test("terminating a parent leaves its child alone; a terminated child fails for its parent", async () => {
  const { client, until } = await start();
  const first = await client.startNew("callsWaiting");
  await until(first, "Running");
  await client.terminate(first, "stop");
  await until(first);
  expect((await until("waiting-child", "Running", "Pending")).runtimeStatus).not.toBe("Terminated");
  await client.terminate("waiting-child", "stop");
  await until("waiting-child");

  const second = await client.startNew("callsWaiting");
  await expect.poll(async () => (await client.getStatus("waiting-child")).runtimeStatus).toBe("Running");
  await client.terminate("waiting-child", "the child's end");
  expect((await until(second)).output).toContain("the child's end");
});

test("an id can be used again only after its instance has ended", async () => {
  const { client, until } = await start();
  await client.startNew("collect", { instanceId: "once" });
  await expect(client.startNew("collect", { instanceId: "once" })).rejects.toThrow("409");
  await client.terminate("once", "");
  await until("once");
  await client.startNew("collect", { instanceId: "once" });
  await until("once", "Running");
});

test("purging removes ended instances only", async () => {
  const { client, complete, until } = await start();
  const id = await client.startNew("collect");
  await until(id, "Running");
  await expect(client.purgeInstanceHistory(id)).rejects.toThrow("412");
  const { instanceId } = await complete("loopOnText", "other");
  expect(await client.purgeInstanceHistory(instanceId)).toMatchObject({ instancesDeleted: 1 });
  await expect(client.getStatus(instanceId)).rejects.toThrow("404");
  expect(await client.purgeInstanceHistory(instanceId)).toMatchObject({ instancesDeleted: 0 });
  await complete("loopOnText", "other");
  await complete("loopOnText", "other");
  const filter = { createdTimeFrom: new Date(0), runtimeStatus: [df.OrchestrationRuntimeStatus.Completed] };
  expect(await client.purgeInstanceHistoryBy(filter)).toMatchObject({ instancesDeleted: 2 });
  expect((await client.getStatusAll()).map((each) => each.instanceId)).toEqual([id]);
});
