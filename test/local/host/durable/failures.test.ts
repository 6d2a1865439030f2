import { expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();
const hour = 3_600_000;

df.app.activity("fail", {
  handler: (message: string) => {
    throw new Error(message);
  },
});
df.app.entity("e", () => undefined);
df.app.activity("fine", { handler: () => "fine" });
df.app.activity("count", { handler: () => (count += 1) });
let count = 0;
let round = 0;

/** An orchestrator that ends so after one activity. */
function after(end: () => unknown): df.OrchestrationHandler {
  return function* (context) {
    yield context.df.callActivity("fine");
    return end();
  };
}

const flawed: Record<string, { run: df.OrchestrationHandler; says: string; input?: unknown }> = {
  throws: {
    run: after(() => {
      throw new Error("the reason");
    }),
    says: "Orchestrator function 'throws' failed: the reason",
  },
  throwsNothing: {
    run: after(() => {
      throw new Error("");
    }),
    says: "would hang",
  },
  leaksCredential: {
    run: after(() => {
      throw new Error('at https://x/?sig=abc" and more');
    }),
    says: "what looks like a credential",
  },
  failsByActivity: {
    run: function* (context) {
      yield context.df.callActivity("fail", "no such file");
    },
    says: "Activity function 'fail' failed:  no such file",
  },
  unknownActivity: {
    run: function* (context) {
      yield context.df.callActivity("missing", 1);
    },
    says: "the function 'missing' doesn't exist, is disabled, or is not an activity function (would hang",
  },
  unknownChild: {
    run: function* (context) {
      yield context.df.callSubOrchestrator("missing");
    },
    says: "the function 'missing' doesn't exist, is disabled, or is not an orchestration function (would hang",
  },
  ownId: {
    run: function* (context) {
      yield context.df.callSubOrchestrator("throws", {}, context.df.instanceId);
    },
    says: "would hang",
  },
  badChildId: {
    run: function* (context) {
      yield context.df.callSubOrchestrator("throws", {}, "a/b");
    },
    says: "'a/b' is no id",
  },
  yieldsNothing: {
    run: function* (context) {
      yield context.df.signalEntity(new df.EntityId("e", "k"), "op") as never;
    },
    says: "programming constraint violation",
  },
  asynchronous: {
    run: async function* (context: df.OrchestrationContext) {
      yield await Promise.resolve(context.df.callActivity("fine"));
    } as unknown as df.OrchestrationHandler,
    says: "programming constraint violation",
  },
  waitsForTheDone: {
    run: function* (context) {
      const task = context.df.callActivity("fine");
      yield task;
      yield context.df.Task.all([task]);
    },
    says: "would hang",
  },
  racesAgain: {
    run: function* (context) {
      const child = context.df.callSubOrchestrator("waits", {}, "raced-child");
      yield context.df.Task.any([child, context.df.createTimer(context.df.currentUtcDateTime)]);
      yield context.df.Task.any([child, context.df.createTimer(context.df.currentUtcDateTime)]);
    },
    says: "'raced-child' is scheduled again while it runs",
  },
  numericEvent: {
    run: function* (context) {
      yield context.df.waitForExternalEvent("0");
    },
    says: "no event may be named '0'",
  },
  tooLong: {
    run: after(() => "x".repeat(3000)),
    says: "pass a reference instead",
  },
};

for (const [name, { run }] of Object.entries(flawed)) df.app.orchestration(name, run);
df.app.orchestration("waits", function* (context) {
  yield context.df.waitForExternalEvent("go");
});
df.app.orchestration("changing", function* (context) {
  round += 1;
  yield round === 1
    ? context.df.callActivity("fine")
    : context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + hour));
});
df.app.orchestration("clock", function* (context) {
  yield context.df.callActivity("fine", Date.now());
});
df.app.orchestration("steady", function* (context) {
  return yield context.df.callActivity("count");
});
df.app.orchestration("races", function* (context) {
  const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + hour));
  yield context.df.Task.any([timer, context.df.waitForExternalEvent("go")]);
  yield context.df.Task.any([timer, context.df.waitForExternalEvent("go")]);
});
df.app.orchestration("asyncFailure", function* (context) {
  const slow = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 50));
  yield context.df.Task.all([context.df.callActivity("fail", "early"), slow]);
});

test.each(Object.entries(flawed))("%s fails with its reason", async (name, { says, input }) => {
  const { complete } = await start({ embedded: { maximumPayload: 2000 } });
  const { runtimeStatus, output } = await complete(name, input);
  expect(output).toContain(says);
  expect(runtimeStatus).toBe("Failed");
});

test("an instance of an unknown orchestrator fails and names those that there are", async () => {
  const { complete } = await start();
  const { runtimeStatus, output } = await complete("nobody");
  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("'nobody' doesn't exist, is disabled, or is not an orchestrator function");
  expect(output).toContain("'steady'");
});

test("an orchestrator that asks for something else in a replay fails", async () => {
  round = 0;
  const { complete } = await start();
  const { output } = await complete("changing");
  expect(output).toContain(
    "Non-Deterministic workflow detected: task 0 was TaskScheduled 'fine' and is now TimerCreated",
  );
});

test("with replayTwice an orchestrator that reads the clock fails, and a pure one does not", async () => {
  const { complete } = await start({ embedded: { replayTwice: true } });
  expect((await complete("clock")).output).toContain("Non-Deterministic workflow detected");
  expect((await complete("steady")).runtimeStatus).toBe("Completed");
});

test("a failure waits for the tasks that are still open", async () => {
  const { complete, extension } = await start();
  const { instanceId, runtimeStatus, output } = await complete("asyncFailure");
  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("early");
  const response = await fetch(`${extension.rpcUrl()}instances/${instanceId}?showHistory=true`);
  const { historyEvents } = (await response.json()) as { historyEvents: { EventType: string }[] };
  expect(historyEvents.map(({ EventType }) => EventType)).toEqual([
    "ExecutionStarted",
    "TaskFailed",
    "TimerFired",
    "ExecutionCompleted",
  ]);
});

test("a timer that is raced a second time is told in the log", async () => {
  const { client, until, log } = await start();
  const id = await client.startNew("races");
  await until(id, "Running");
  await client.raiseEvent(id, "go", null);
  await expect.poll(() => log.join("\n")).toContain("a task may be put into one Task.any or Task.all only");
});
