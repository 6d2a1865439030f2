// Ids must line up between library and host for every shape of orchestration, whatever the order in which results come.
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

type Step =
  | { readonly kind: "activity"; readonly value: number; readonly failures: number }
  | { readonly kind: "timer"; readonly ms: number }
  | { readonly kind: "event" }
  | { readonly kind: "child"; readonly steps: readonly Step[] }
  | { readonly kind: "all" | "any"; readonly steps: readonly Step[] };

const start = useHarness();
const failed = new Map<string, number>();
beforeEach(() => failed.clear());

df.app.activity("perform", {
  handler: async ({ id, value, failures }: { id: string; value: number; failures: number }) => {
    await new Promise((resolve) => setTimeout(resolve, value % 3));
    const before = failed.get(id) ?? 0;
    failed.set(id, before + 1);
    if (before < failures) throw new Error(`failure ${before + 1} of ${id}`);
    return value;
  },
});
df.app.orchestration("program", function* (context) {
  const steps: readonly Step[] = context.df.getInput();
  let count = 0;
  const toTask = (step: Step): df.Task => {
    count += 1;
    switch (step.kind) {
      case "activity": {
        const input = { ...step, id: `${context.df.instanceId}/${count}` };
        return step.failures === 0
          ? context.df.callActivity("perform", input)
          : context.df.callActivityWithRetry("perform", new df.RetryOptions(1, 9), input);
      }
      case "timer":
        return context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + step.ms));
      case "event":
        return context.df.waitForExternalEvent("event");
      case "child":
        return context.df.callSubOrchestrator("program", step.steps);
      case "all":
        return context.df.Task.all(step.steps.map(toTask));
      case "any":
        return context.df.Task.any(step.steps.map(toTask));
    }
  };
  const results: unknown[] = [];
  for (const step of steps) {
    const result: unknown = yield toTask(step);
    results.push(step.kind === "any" ? "any" : step.kind === "all" ? withoutTasks(step, result) : (result ?? null));
  }
  return results;
});

/** The result of a Task.any is a task, which is no value. */
function withoutTasks(step: Step, result: unknown): unknown {
  if (step.kind === "any") return "any";
  return step.kind === "all"
    ? step.steps.map((each, index) => withoutTasks(each, (result as unknown[])[index]))
    : (result ?? null);
}

function expected(step: Step): unknown {
  switch (step.kind) {
    case "activity":
      return step.value;
    case "timer":
      return null;
    case "event":
      return "event";
    case "child":
    case "all":
      return step.steps.map(expected);
    case "any":
      return "any";
  }
}

/** How many events the top level takes at most. */
function countEvents(steps: readonly Step[]): number {
  return steps.reduce(
    (sum, step) =>
      sum + (step.kind === "event" ? 1 : step.kind === "all" || step.kind === "any" ? countEvents(step.steps) : 0),
    0,
  );
}

const { steps: program } = fc.letrec<{ step: Step; inner: Step; steps: Step[]; innerSteps: Step[] }>((tie) => {
  const activity = fc.record({
    kind: fc.constant("activity" as const),
    value: fc.nat(99),
    failures: fc.constantFrom(0, 0, 0, 1, 2),
  });
  const timer = fc.record({ kind: fc.constant("timer" as const), ms: fc.integer({ min: -5, max: 5 }) });
  const child = fc.record({ kind: fc.constant("child" as const), steps: tie("innerSteps") });
  const compound = (of: fc.Arbitrary<Step>) =>
    fc.record({
      kind: fc.constantFrom("all" as const, "any" as const),
      steps: fc.array(of, { minLength: 1, maxLength: 4 }),
    });
  const inner: fc.Arbitrary<Step> = fc.oneof({ maxDepth: 2 }, activity, timer, compound(tie("inner")));
  return {
    inner,
    innerSteps: fc.array(inner, { maxLength: 2 }),
    step: fc.oneof(
      { maxDepth: 3 },
      activity,
      timer,
      fc.constant({ kind: "event" as const }),
      child,
      compound(tie("step")),
    ),
    steps: fc.array(tie("step"), { maxLength: 6 }),
  };
});

test.each([{}, { shuffleEvents: 3, rollbackAfterSend: true }])(
  "any program of tasks completes with its values, with %o",
  { timeout: 60_000 },
  async (embedded) => {
    const { client, until } = await start({ embedded });
    await fc.assert(
      fc.asyncProperty(program, fc.boolean(), async (steps, areEventsEarly) => {
        const id = await client.startNew("program", { input: steps });
        if (!areEventsEarly) await until(id, "Running", "Completed", "Failed");
        for (let left = countEvents(steps); left > 0; left--) await client.raiseEvent(id, "event", "event");
        const { output, runtimeStatus } = await until(id);
        expect({ output, runtimeStatus }).toEqual({ output: steps.map(expected), runtimeStatus: "Completed" });
      }),
      { numRuns: 40 },
    );
  },
);
