import { beforeEach, expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();
let attempts: string[] = [];
beforeEach(() => {
  attempts = [];
});

df.app.activity("flaky", {
  handler: ({ name, failures }: { name: string; failures: number }) => {
    attempts.push(name);
    const count = attempts.filter((each) => each === name).length;
    if (count <= failures) throw new Error(`${name} attempt ${count}`);
    return `${name} after ${count}`;
  },
});
df.app.orchestration("retrying", function* (context) {
  const { failures, isParallel, ...options }: { failures: number; isParallel?: boolean } & Partial<df.RetryOptions> =
    context.df.getInput();
  const retry = Object.assign(new df.RetryOptions(5, 3), options);
  const call = (name: string) => context.df.callActivityWithRetry("flaky", retry, { name, failures });
  const results: unknown =
    isParallel === true ? yield context.df.Task.all([call("a"), call("b"), call("c")]) : yield call("a");
  const after: string = yield context.df.callActivity("flaky", { name: "after", failures: 0 });
  return { results, after };
});
df.app.orchestration("flakyChild", function* (context) {
  return yield context.df.callActivity("flaky", context.df.getInput());
});
df.app.orchestration("retryingChild", function* (context) {
  return yield context.df.callSubOrchestratorWithRetry(
    "flakyChild",
    new df.RetryOptions(5, 3),
    { name: "child", failures: 2 },
    "same-id",
  );
});

test("a failing activity is tried again and the ids of what follows still line up", async () => {
  const { complete } = await start();
  expect((await complete("retrying", { failures: 2 })).output).toEqual({
    results: "a after 3",
    after: "after after 1",
  });
});

test("after the last attempt the error reaches the orchestrator", async () => {
  const { complete } = await start();
  const { runtimeStatus, output } = await complete("retrying", { failures: 9 });
  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("Activity function 'flaky' failed:  a attempt 3");
  expect(attempts).toEqual(["a", "a", "a"]);
});

test("parallel retries each go their own way", async () => {
  const { complete } = await start();
  const { output } = await complete("retrying", { failures: 2, isParallel: true });
  expect(output).toEqual({ results: ["a after 3", "b after 3", "c after 3"], after: "after after 1" });
});

test("a child is retried under the id it was given", async () => {
  const { complete, client } = await start();
  expect((await complete("retryingChild")).output).toBe("child after 3");
  expect((await client.getStatus("same-id")).output).toBe("child after 3");
});

test.each([
  { retryTimeoutInMilliseconds: 1000 },
  { maxNumberOfAttempts: 0 },
  { maxRetryIntervalInMilliseconds: 7 * 24 * 3_600_000 },
  { backoffCoefficient: 0 },
])("retry options that the cloud hangs on are refused: %o", async (options) => {
  const { complete } = await start();
  const { runtimeStatus, output } = await complete("retrying", { failures: 1, ...options });
  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("would hang");
});
