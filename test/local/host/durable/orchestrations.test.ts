import { afterEach, describe, expect, test } from "vitest";

import { createGate, df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

let gates: Record<string, ReturnType<typeof createGate>> = {};
let calls: string[] = [];

df.app.activity("echo", { handler: (input: unknown) => input });
df.app.activity("kindOf", { handler: (input: unknown) => `${typeof input} ${JSON.stringify(input) ?? "nothing"}` });
df.app.activity("answer", { handler: (kind: string) => answers[kind] });
df.app.activity("gated", {
  handler: async (name: string) => {
    calls.push(`start ${name}`);
    await gates[name]?.passed;
    calls.push(`end ${name}`);
    return name;
  },
});
const answers: Record<string, unknown> = {
  buffer: Buffer.from("hi"),
  huge: 1e20,
  nan: Number.NaN,
  text: "123",
  nothing: undefined,
  date: { at: new Date(0), left: undefined, map: new Map([[1, 2]]) },
};

df.app.orchestration("inSequence", function* (context) {
  const first: string = yield context.df.callActivity("echo", "a");
  const second: string = yield context.df.callActivity("echo", `${first}b`);
  return { second, input: context.df.getInput() };
});
df.app.orchestration("fanOut", function* (context) {
  return yield context.df.Task.all(["a", "b", "c"].map((name) => context.df.callActivity("gated", name)));
});
df.app.orchestration("inputs", function* (context) {
  const inputs = [{ a: 1 }, [1], 5, "text", "123", true, false, null, undefined];
  const seen: string[] = [];
  for (const input of inputs) seen.push(yield context.df.callActivity("kindOf", input));
  return seen;
});
df.app.orchestration("results", function* (context) {
  const seen: Record<string, unknown> = {};
  for (const kind of Object.keys(answers)) seen[kind] = yield context.df.callActivity("answer", kind);
  return seen;
});
df.app.orchestration("child", function* (context) {
  const { fail }: { fail?: string } = context.df.getInput() ?? {};
  if (fail !== undefined) throw new Error(fail);
  const text: string = yield context.df.callActivity("echo", "child");
  return { text, id: context.df.instanceId, parent: context.df.parentInstanceId };
});
df.app.orchestration("parent", function* (context) {
  const given = yield context.df.callSubOrchestrator("child", {}, `${context.df.instanceId}:given`);
  const made = yield context.df.callSubOrchestrator("child");
  return { given, made };
});
df.app.orchestration("parentOfFailure", function* (context) {
  try {
    yield context.df.callSubOrchestrator("child", { fail: "the child's reason" });
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
});
df.app.orchestration("parentOfTaken", function* (context) {
  try {
    return yield context.df.callSubOrchestrator("child", {}, "taken");
  } catch (error) {
    return (error as Error).message;
  }
});
df.app.orchestration("waiting", function* (context) {
  return yield context.df.waitForExternalEvent("go");
});
df.app.orchestration("status", function* (context) {
  context.df.setCustomStatus({ step: 1 });
  yield context.df.waitForExternalEvent("next");
  context.df.setCustomStatus(null);
  yield context.df.waitForExternalEvent("next");
  context.df.setCustomStatus("x".repeat(9000));
  return "too late";
});

const start = useHarness();

afterEach(() => {
  for (const gate of Object.values(gates)) gate.open();
  gates = {};
  calls = [];
});

describe.each([{ isPublicClient: false }, { isPublicClient: true }])(
  "through a client with isPublicClient $isPublicClient",
  ({ isPublicClient }) => {
    test("two activities run one after the other and the output is what was returned", async () => {
      const { complete } = await start({ isPublicClient });
      const status = await complete("inSequence", { n: 1 });
      expect(status).toMatchObject({
        name: "inSequence",
        runtimeStatus: "Completed",
        input: { n: 1 },
        output: { second: "ab", input: { n: 1 } },
      });
    });

    test("children get the id they are given or one of the parent's execution", async () => {
      const { complete, client } = await start({ isPublicClient });
      const { output } = await complete("parent", undefined, "mother");
      const { given, made } = output as Record<string, { text: string; id: string; parent: string }>;
      expect(given).toEqual({ text: "child", id: "mother:given", parent: "mother" });
      expect(made?.id).toMatch(/^[0-9a-f]{32}:1$/);
      expect((await client.getStatus("mother:given")).runtimeStatus).toBe("Completed");
    });
  },
);

test("a fan-out gives its results in the order of the calls when they end in reverse", async () => {
  gates = { a: createGate(), b: createGate(), c: createGate() };
  const { client, until } = await start();
  const id = await client.startNew("fanOut");
  for (const name of ["c", "b", "a"]) {
    await expect.poll(() => calls).toContain(`start ${name}`);
    gates[name]?.open();
    await expect.poll(() => calls).toContain(`end ${name}`);
  }
  expect((await until(id)).output).toEqual(["a", "b", "c"]);
  expect(calls.slice(3)).toEqual(["end c", "end b", "end a"]);
});

test("an activity sees its input as the cloud's host delivers it, booleans as text", async () => {
  const { complete } = await start();
  expect((await complete("inputs")).output).toEqual([
    'object {"a":1}',
    "object [1]",
    "number 5",
    'string "text"',
    'string "123"',
    'string "True"',
    'string "False"',
    "undefined nothing",
    "undefined nothing",
  ]);
});

test("an activity's result loses on the way what the cloud's host loses", async () => {
  const { complete } = await start();
  expect((await complete("results")).output).toEqual({
    buffer: Buffer.from("hi").toString("base64"),
    huge: 2 ** 63,
    nan: "NaN",
    text: "123",
    nothing: null,
    date: { at: "1970-01-01T00:00:00.000Z", map: {} },
  });
});

test("a failing child names its reason to the parent", async () => {
  const { complete } = await start();
  const { output } = await complete("parentOfFailure");
  expect(output).toContain("Orchestrator function 'child' failed: the child's reason");
});

test("a child whose id a living instance has is refused to the parent", async () => {
  const { client, complete, until } = await start();
  await client.startNew("waiting", { instanceId: "taken" });
  const { output } = await complete("parentOfTaken");
  expect(output).toMatch(
    /Sub-orchestration 'child' cannot start: an instance with the id 'taken' is already (Pending|Running)/,
  );
  await client.raiseEvent("taken", "go", "on");
  expect((await until("taken")).output).toBe("on");
  expect((await complete("parentOfTaken")).output).toMatchObject({ id: "taken", text: "child" });
});

test("a custom status is shown, cleared by the next episode, and fails the instance above 16 KB", async () => {
  const { client, until } = await start();
  const id = await client.startNew("status");
  expect((await until(id, "Running")).customStatus).toEqual({ step: 1 });
  await client.raiseEvent(id, "next", null);
  await expect.poll(async () => (await client.getStatus(id)).customStatus).toBeNull();
  await client.raiseEvent(id, "next", null);
  const status = await until(id);
  expect(status.runtimeStatus).toBe("Failed");
  expect(status.output).toContain("must not exceed 16 KB");
});
