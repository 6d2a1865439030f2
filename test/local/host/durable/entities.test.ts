import { expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();

df.app.entity("Counter", (context) => {
  const value: number = context.df.getState(() => 0) as number;
  switch (context.df.operationName) {
    case "add":
      context.df.setState(value + (context.df.getInput() as number));
      break;
    case "get":
      context.df.return(value);
      break;
    case "tell":
      context.df.signalEntity(new df.EntityId("counter", context.df.getInput() as string), "add", value);
      break;
    case "delete":
      context.df.destructOnExit();
      break;
    case undefined:
    default:
      throw new Error("no such operation");
  }
});
df.app.activity("plain", { handler: () => "plain" });
df.app.orchestration("counting", function* (context) {
  const counter = new df.EntityId("Counter", "Key");
  context.df.signalEntity(counter, "add", 2);
  yield context.df.callEntity(counter, "add", 3);
  const plain: string = yield context.df.callActivity("plain");
  const value: number = yield context.df.callEntity(counter, "get");
  return { plain, value };
});
df.app.orchestration("callsWrongly", function* (context) {
  try {
    yield context.df.callEntity(new df.EntityId("Counter", "Key"), "explode");
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
});
df.app.orchestration("callsNobody", function* (context) {
  yield context.df.callEntity(new df.EntityId("Missing", "Key"), "get");
});
df.app.orchestration("locks", function* (context) {
  yield context.df.lock(new df.EntityId("Counter", "Key"));
});

test("an orchestration signals and calls an entity, between other tasks", async () => {
  const { complete, client } = await start();
  expect((await complete("counting")).output).toEqual({ plain: "plain", value: 5 });
  const { entityExists, entityState } = await client.readEntityState(new df.EntityId("counter", "Key"));
  expect({ entityExists, entityState }).toEqual({ entityExists: true, entityState: 5 });
});

test.each([false, true])("a client signals and reads an entity (public: %s)", async (isPublicClient) => {
  const { client } = await start({ isPublicClient });
  const id = new df.EntityId("Counter", "mine");
  expect((await client.readEntityState(id)).entityExists).toBe(false);
  for (const amount of [1, 2, 3]) await client.signalEntity(id, "add", amount);
  await expect.poll(async () => (await client.readEntityState(id)).entityState).toBe(6);
  await client.signalEntity(id, "tell", "other");
  await expect
    .poll(async () => (await client.readEntityState(new df.EntityId("counter", "other"))).entityState)
    .toBe(6);
  await client.signalEntity(id, "delete");
  await expect.poll(async () => (await client.readEntityState(id)).entityExists).toBe(false);
});

test("entities are listed by name", async () => {
  const { client, extension } = await start();
  await client.signalEntity(new df.EntityId("Counter", "a"), "add", 1);
  await client.signalEntity(new df.EntityId("Counter", "b"), "add", 2);
  const list = async () => (await fetch(`${extension.rpcUrl()}entities/Counter?fetchState=true`)).json();
  await expect.poll(list).toMatchObject([
    { entityId: { name: "counter", key: "a" }, state: 1 },
    { entityId: { name: "counter", key: "b" }, state: 2 },
  ]);
});

test("an operation that throws fails for its caller", async () => {
  const { complete } = await start();
  expect((await complete("callsWrongly")).output).not.toBe("no error");
});

test("what this host has not is refused: unknown entities and locks", async () => {
  const { complete, client } = await start();
  expect((await complete("callsNobody")).output).toContain("would hang");
  expect((await complete("locks")).output).toContain("lock requires");
  await expect(client.signalEntity(new df.EntityId("missing", "k"), "op")).rejects.toThrow("404");
});
