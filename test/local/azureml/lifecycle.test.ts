import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { WorkspaceOptions } from "#local/azureml/server.ts";
import { createFakeExecutor } from "./fake-executor.ts";
import type { BlobStore } from "./executor/start-blob-store.ts";
import {
  commandJob,
  group,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  workspaceName,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let blobs: BlobStore;
const opened: TestWorkspace[] = [];
beforeAll(async () => {
  blobs = await startBlobStore();
});
afterEach(async () => {
  for (const env of opened.splice(0)) await env.stop();
});
afterAll(() => blobs.stop());

async function open(options: Partial<WorkspaceOptions> = {}, isScripted = true): Promise<TestWorkspace> {
  const env = await startTestWorkspace(blobs, options, createFakeExecutor({ isScripted }));
  opened.push(env);
  return env;
}
async function submit(env: TestWorkspace, name: string): Promise<void> {
  const answer = await env.send({
    method: "PUT",
    path: `jobs/${name}`,
    body: commandJob(await registerEnvironment(env)),
  });
  expect(answer.status).toBe(201);
}
const statusOf = async (env: TestWorkspace, name: string) =>
  (await env.client.jobs.get(group, workspaceName, name)).properties.status;
const becomes = (env: TestWorkspace, name: string, status: string) =>
  expect.poll(() => statusOf(env, name), { interval: 5 }).toBe(status);
const statusesOf = async (env: TestWorkspace, name: string) => {
  const { body } = await env.send({ path: `/_embedded/jobs/${name}` });
  return (body as { statuses: { status: string }[] }).statuses.map(({ status }) => status);
};

test("a job passes through the service's statuses in the service's order", async () => {
  const env = await open({}, false);
  await submit(env, "ordered");
  await becomes(env, "ordered", "Completed");
  expect(await statusesOf(env, "ordered")).toEqual([
    "NotStarted",
    "Starting",
    "Provisioning",
    "Preparing",
    "Running",
    "Finalizing",
    "Completed",
  ]);
  const { properties } = await env.client.jobs.get(group, workspaceName, "ordered");
  expect(properties.properties).toMatchObject({
    StartTimeUtc: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    EndTimeUtc: expect.stringMatching(/^\d{4}/),
    "_azureml.ComputeTargetType": "amlctrain",
  });
});

test("jobs beyond the machine's room wait as Queued and start in the order they came", async () => {
  const env = await open({ maxConcurrent: 1 });
  for (const name of ["one", "two", "three"]) await submit(env, name);
  await env.executor.started("one");
  await becomes(env, "three", "Queued");
  env.executor.end("one", { status: "Completed", exitCode: 0 });
  await env.executor.started("two");
  env.executor.end("two", { status: "Completed", exitCode: 0 });
  await env.executor.started("three");
  expect(env.executor.executions.map(({ jobName }) => jobName)).toEqual(["one", "two", "three"]);
  expect(await statusesOf(env, "two")).toContain("Queued");
});

test("canceling a running job asks the executor, and the operation ends before the job does", async () => {
  const env = await open();
  await submit(env, "running");
  await env.executor.started("running");
  env.executor.phase("running", "Running");
  await env.client.jobs.beginCancelAndWait(group, workspaceName, "running", { updateIntervalInMs: 1 });
  await becomes(env, "running", "Canceled");
  expect(env.executor.canceled).toEqual(["running"]);
  expect(await statusesOf(env, "running")).toEqual([
    "NotStarted",
    "Starting",
    "Provisioning",
    "Running",
    "CancelRequested",
    "Canceled",
  ]);
});

test("canceling a waiting job ends it without the executor", async () => {
  const env = await open({ maxConcurrent: 1 });
  await submit(env, "first");
  await env.executor.started("first");
  await submit(env, "waits");
  await becomes(env, "waits", "Queued");
  await env.client.jobs.beginCancelAndWait(group, workspaceName, "waits", { updateIntervalInMs: 1 });
  await becomes(env, "waits", "Canceled");
  env.executor.end("first", { status: "Completed", exitCode: 0 });
  await becomes(env, "first", "Completed");
  expect(env.executor.executions).toHaveLength(1);
});

test("canceling a job on its way to a node ends it there", async () => {
  const env = await open({ statusDelayMs: 10_000 });
  await submit(env, "early");
  await env.client.jobs.beginCancelAndWait(group, workspaceName, "early", { updateIntervalInMs: 1 });
  await becomes(env, "early", "Canceled");
  expect(env.executor.executions).toHaveLength(0);
});

test.each(["Finalizing", "Completed"] as const)("a job that is %s cannot be canceled", async (status) => {
  const env = await open();
  await submit(env, "late");
  await env.executor.started("late");
  if (status === "Finalizing") env.executor.phase("late", "Finalizing");
  else env.executor.end("late", { status: "Completed", exitCode: 0 });
  await becomes(env, "late", status);
  await expect(env.client.jobs.beginCancelAndWait(group, workspaceName, "late")).rejects.toMatchObject({
    statusCode: 400,
    code: "UserError",
  });
});

test("a job that ran out of time is Canceled, and run history says why", async () => {
  const env = await open();
  await submit(env, "slow");
  await env.executor.started("slow");
  env.executor.end("slow", { status: "Canceled", reason: "timeout" });
  await becomes(env, "slow", "Canceled");
  expect(await errorOf(env, "slow")).toMatchObject({ code: "JobTimedOut" });
});

test("a failed job tells its reason in run history", async () => {
  const env = await open();
  await submit(env, "broken");
  await env.executor.started("broken");
  env.executor.end("broken", { status: "Failed", exitCode: 3, code: "UserError", message: "exit code 3" });
  await becomes(env, "broken", "Failed");
  expect(await errorOf(env, "broken")).toMatchObject({ code: "UserError", message: "exit code 3" });
});

async function errorOf(env: TestWorkspace, name: string): Promise<unknown> {
  const { body } = await env.send({
    path: `/history/v1.0${workspacePath}/experiments/Default/runs/${name}/details`,
  });
  return (body as { error: { error: unknown } }).error.error;
}

test("an executor that throws fails the job and leaves room for the next", async () => {
  const env = await open({
    maxConcurrent: 1,
    createExecutor: () => ({
      run: ({ jobName }) =>
        jobName === "thrower"
          ? Promise.reject(new Error("disk full"))
          : Promise.resolve({ status: "Completed", exitCode: 0 }),
      findFault: () => Promise.resolve(undefined),
      cancel: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    }),
  });
  await submit(env, "thrower");
  await becomes(env, "thrower", "Failed");
  await submit(env, "next");
  await becomes(env, "next", "Completed");
  expect(await errorOf(env, "thrower")).toMatchObject({ code: "ServiceError", message: "disk full" });
});

test("a restart takes up running and waiting jobs, the running ones first, and none twice", async () => {
  const before = await startTestWorkspace(blobs, { maxConcurrent: 1 }, createFakeExecutor({ isScripted: true }));
  await submit(before, "ran");
  await before.executor.started("ran");
  before.executor.phase("ran", "Running");
  await submit(before, "waited");
  await becomes(before, "waited", "Queued");
  const after = await before.restart();
  opened.push(after);
  await after.executor.started("ran");
  expect(await statusOf(after, "ran")).toBe("Running");
  after.executor.end("ran", { status: "Completed", exitCode: 0 });
  await after.executor.started("waited");
  after.executor.end("waited", { status: "Completed", exitCode: 0 });
  await becomes(after, "waited", "Completed");
  expect(after.executor.executions.map(({ jobName }) => jobName)).toEqual(["ran", "waited"]);
});

test("the token a job got before a restart still opens its run after it", async () => {
  const before = await startTestWorkspace(blobs, {}, createFakeExecutor({ isScripted: true }));
  await submit(before, "keeps");
  const { serviceEnvironment } = await before.executor.started("keeps");
  const after = await before.restart();
  opened.push(after);
  const answer = await fetch(`${serviceEnvironment["MLFLOW_TRACKING_URI"]}/api/2.0/mlflow/runs/get?run_id=keeps`, {
    headers: { authorization: `Bearer ${serviceEnvironment["MLFLOW_TRACKING_TOKEN"]}` },
  });
  expect(answer.status).toBe(200);
});

test("a cancel asked for before a restart is carried out after it", async () => {
  const stubborn = createFakeExecutor({ isScripted: true });
  const before = await startTestWorkspace(
    blobs,
    { createExecutor: (options) => ({ ...stubborn.create(options), cancel: () => Promise.resolve() }) },
    stubborn,
  );
  await submit(before, "canceled");
  await before.executor.started("canceled");
  await before.client.jobs.beginCancelAndWait(group, workspaceName, "canceled", { updateIntervalInMs: 1 });
  const executor = createFakeExecutor({ isScripted: true });
  const after = await before.restart({ createExecutor: executor.create }, executor);
  opened.push(after);
  await becomes(after, "canceled", "Canceled");
  expect(executor.canceled).toEqual(["canceled"]);
});
