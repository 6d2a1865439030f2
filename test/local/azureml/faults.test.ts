import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { CountersSnapshot } from "#local/azureml/counters.ts";
import type { FaultsInput } from "#local/azureml/faults.ts";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  group,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  workspaceName,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
let environmentId: string;
beforeAll(async () => {
  env = await startTestWorkspace(
    await startBlobStore(),
    { maxConcurrent: 100 },
    createFakeExecutor({ isScripted: true }),
  );
  environmentId = await registerEnvironment(env);
});
afterEach(async () => {
  await bring({});
  await env.send({ method: "DELETE", path: "/_embedded/counters" });
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

const bring = (faults: FaultsInput) => env.send({ method: "POST", path: "/_embedded/faults", body: faults });
const counters = async () => (await env.send({ path: "/_embedded/counters" })).body as CountersSnapshot;
const submit = (name: string, instanceType?: string) =>
  env.client.jobs.createOrUpdate(group, workspaceName, name, {
    properties: {
      jobType: "Command",
      command: "echo",
      environmentId,
      ...(instanceType === undefined ? {} : { resources: { instanceType } }),
    },
  });

test.each([
  ["NoSuchSize", /not a supported VM size/],
  ["NoQuota", /vCPU quota of 0 and is less than the requested job node count of 1 which maps to 6 vCPUs/],
  ["NoCapacity", /sufficient capacity/],
] as const)("a size with %s is refused at submission and another goes through", async (refusal, message) => {
  await bring({ sizes: { Standard_NC6s_v3: refusal } });
  await expect(submit(`sized_${refusal}`, "standard_nc6s_V3")).rejects.toMatchObject({
    statusCode: 400,
    code: "UserError",
    message: expect.stringMatching(message),
  });
  await expect(submit(`sized_${refusal}`, "Standard_NC4as_T4_v3")).resolves.toMatchObject({ name: `sized_${refusal}` });
});

test("a size without capacity later lets the job in and fails it", async () => {
  await bring({ sizes: { Standard_NC6s_v3: "NoCapacityLater" } });
  await submit("later", "Standard_NC6s_v3");
  await expect
    .poll(async () => (await env.client.jobs.get(group, workspaceName, "later")).properties.status)
    .toBe("Failed");
  const { body } = await env.send({ path: "/_embedded/jobs/later" });
  expect(body).toMatchObject({ failure: { code: "AllocationFailed" } });
});

test("429 with Retry-After is waited out by the client", async () => {
  await bring({ rules: [{ kind: "respond", route: "jobs.get", status: 429, retryAfterSeconds: 0, next: 2 }] });
  await submit("throttled");
  expect((await env.client.jobs.get(group, workspaceName, "throttled")).name).toBe("throttled");
  expect((await counters()).calls["jobs.get"]).toBe(3);
});

test("429 without Retry-After reaches the caller", async () => {
  await bring({ rules: [{ kind: "respond", route: "jobs.*", status: 429, next: 1 }] });
  await expect(env.client.jobs.get(group, workspaceName, "any")).rejects.toMatchObject({
    statusCode: 429,
    code: "TooManyRequests",
  });
});

test("a 503 before the PUT is taken costs a retry and makes one job", async () => {
  await bring({ rules: [{ kind: "respond", route: "jobs.put", status: 503, next: 1 }] });
  await submit("unavailable");
  const { calls, accepted, jobPuts } = await counters();
  expect([calls["jobs.put"], accepted["jobs.put"]]).toEqual([2, 1]);
  expect(jobPuts.map(({ jobName, status }) => [jobName, status])).toEqual([["unavailable", 201]]);
});

test("a reply lost after the PUT was taken is made good by the client's retry, and the job ran once", async () => {
  await bring({ rules: [{ kind: "loseReply", route: "jobs.put", next: 1 }] });
  await submit("lost");
  await env.executor.started("lost");
  const { jobPuts } = await counters();
  expect(jobPuts.map(({ status }) => status)).toEqual([201, 200]);
  expect(env.executor.executions.filter(({ jobName }) => jobName === "lost")).toHaveLength(1);
});

test("even an identical put can be refused, as the service has been seen to", async () => {
  await submit("strict");
  await bring({ refuseIdenticalPut: true });
  await expect(submit("strict")).rejects.toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("A job with this name already exists"),
  });
});

test("rates strike some requests and not others, the same ones for the same seed", async () => {
  const draw = async () => {
    await bring({ seed: 7, rules: [{ kind: "respond", route: "workspaces.get", status: 500, rate: 0.5 }] });
    const statuses: number[] = [];
    for (let index = 0; index < 20; index += 1) statuses.push((await env.send({ path: "" })).status);
    return statuses;
  };
  const first = await draw();
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await draw()).toEqual(first);
});

test("a delayed answer comes after one that was asked for later", async () => {
  await bring({ rules: [{ kind: "delay", route: "jobs.list", ms: 200, next: 1 }] });
  const order: string[] = [];
  const delayed = env.send({ path: "jobs" }).then(() => order.push("delayed"));
  await env.send({ path: "" }).then(() => order.push("prompt"));
  await delayed;
  expect(order).toEqual(["prompt", "delayed"]);
});

test("the moment a job's PUT arrived is on the clock of performance.timeOrigin", async () => {
  const before = performance.timeOrigin + performance.now();
  await submit("timed");
  const after = performance.timeOrigin + performance.now();
  const put = (await counters()).jobPuts.find(({ jobName }) => jobName === "timed");
  expect(put?.receivedAtMs).toBeGreaterThan(before - 1);
  expect(put?.receivedAtMs).toBeLessThan(after + 1);
});

test("faults that do not parse are refused by field", async () => {
  const answer = await env.send({
    method: "POST",
    path: "/_embedded/faults",
    body: { rules: [{ kind: "respond", status: 200 }] },
  });
  expect(answer).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining("rules.0.status") } },
  });
});

test("a job's own token opens no control and no job", async () => {
  await env.send({ method: "PUT", path: "jobs/owner", body: commandJob(environmentId) });
  const { serviceEnvironment } = await env.executor.started("owner");
  const token = serviceEnvironment["AZUREML_RUN_TOKEN"] ?? "";
  expect((await env.send({ path: "/_embedded/faults", token })).status).toBe(401);
  expect((await env.send({ path: "jobs", token })).status).toBe(401);
});
