import { expect, test } from "vitest";

import { df } from "./harness.ts";
import { useHarness } from "./use-harness.ts";

const start = useHarness();

df.app.activity("double", { handler: (value: number) => value * 2 });
df.app.orchestration("doubled", function* (context) {
  return yield context.df.callActivity("double", context.df.getInput() ?? 1);
});
df.app.orchestration("idle", function* (context) {
  return yield context.df.waitForExternalEvent("go");
});

test("the webhook wants the system key or the master key", async () => {
  const { origin, key } = await start();
  const url = `${origin}/runtime/webhooks/durabletask/instances`;
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(`${url}?code=default-key`)).status).toBe(401);
  expect((await fetch(`${url}?code=${key}`)).status).toBe(200);
  expect((await fetch(url, { headers: { "x-functions-key": "master-key" } })).status).toBe(200);
});

test("starting answers 202 with links that work", async () => {
  const { origin, key } = await start();
  const response = await fetch(`${origin}/runtime/webhooks/durabletask/orchestrators/idle/one?code=${key}`, {
    method: "POST",
  });
  expect(response.status).toBe(202);
  expect(response.headers.get("retry-after")).toBe("10");
  const links = (await response.json()) as Record<string, string>;
  expect(response.headers.get("location")).toBe(links["statusQueryGetUri"]);
  const post = (name: string) =>
    fetch((links[name] ?? "").replace("{eventName}", "go").replace("{text}", "because"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
  expect((await post("suspendPostUri")).status).toBe(202);
  await expect
    .poll(async () => (await (await fetch(links["statusQueryGetUri"] ?? "")).json()) as object)
    .toMatchObject({ runtimeStatus: "Suspended" });
  expect((await post("resumePostUri")).status).toBe(202);
  expect((await post("sendEventPostUri")).status).toBe(202);
  await expect.poll(async () => (await fetch(links["statusQueryGetUri"] ?? "")).status).toBe(200);
  expect((await post("sendEventPostUri")).status).toBe(410);
  expect((await post("terminatePostUri")).status).toBe(410);
  expect((await post("rewindPostUri")).status).toBe(412);
  expect((await post("restartPostUri")).status).toBe(202);
  expect((await fetch(links["purgeHistoryDeleteUri"] ?? "", { method: "DELETE" })).status).toBe(200);
  expect((await fetch(links["statusQueryGetUri"] ?? "")).status).toBe(404);
});

test("starting with both waits answers with the output, or with 202 when it takes longer", async () => {
  const { extension } = await start();
  const post = (path: string, body: string) => fetch(`${extension.rpcUrl()}${path}`, { method: "POST", body });
  const done = await post("orchestrators/doubled?timeout=5&pollingInterval=0.01", "21");
  expect([done.status, await done.json()]).toEqual([200, 42]);
  expect((await post("orchestrators/idle?timeout=0.05&pollingInterval=0.01", "")).status).toBe(202);
});

test.each([
  ["POST", "orchestrators/doubled", "{", 400],
  ["POST", "orchestrators/doubled/a%2Fb", "", 400],
  ["POST", "orchestrators/doubled/a+b", "", 400],
  ["POST", `orchestrators/doubled/${"x".repeat(101)}`, "", 400],
  ["POST", "orchestrators", "", 404],
  ["GET", "orchestrators/doubled", undefined, 404],
  ["GET", "instances/none", undefined, 404],
  ["GET", "instances?top=0", undefined, 400],
  ["GET", "instances?runtimeStatus=Nonsense", undefined, 400],
  ["GET", "instances?createdTimeFrom=noon", undefined, 400],
  ["DELETE", "instances", undefined, 400],
  ["DELETE", "instances?createdTimeFrom=2020-01-01", undefined, 404],
  ["POST", "instances/none/raiseEvent/go", "1", 404],
  ["POST", "instances/none/terminate", "", 404],
  ["POST", "instances/none/rewind", "", 404],
  ["POST", "instances/none/restart", "", 400],
  ["POST", "instances/none/nonsense", "", 404],
  ["GET", "%ff", undefined, 400],
] as const)("%s %s is answered %s %i", async (method, path, body, status) => {
  const { extension } = await start();
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${extension.rpcUrl()}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  expect([response.status, response.headers.has("content-type")]).toEqual([status, true]);
});

test("an event without JSON is refused, as is one without data", async () => {
  const { client, extension } = await start();
  const id = await client.startNew("idle");
  const url = `${extension.rpcUrl()}instances/${id}/raiseEvent/go`;
  expect((await fetch(url, { method: "POST", body: "1" })).status).toBe(400);
  await expect(client.raiseEvent(id, "go", undefined)).rejects.toThrow("Invalid JSON");
});

test("a list is paged by a token until it is empty", async () => {
  const { client, extension } = await start();
  for (const instanceId of ["p-1", "p-2", "p-3", "q-1"]) await client.startNew("idle", { instanceId });
  const seen: string[] = [];
  let token: string | undefined = "";
  for (let page = 0; token !== undefined && page < 9; page++) {
    const response: Response = await fetch(`${extension.rpcUrl()}instances?top=1&instanceIdPrefix=p-`, {
      headers: { "x-ms-continuation-token": token },
    });
    seen.push(...((await response.json()) as { instanceId: string }[]).map(({ instanceId }) => instanceId));
    expect(response.headers.get("x-ms-continuation-token")).not.toBeNull();
    token = response.headers.get("x-ms-continuation-token") || undefined;
  }
  expect(seen).toEqual(["p-1", "p-2", "p-3"]);
});

test("a list is filtered by status and time", async () => {
  const { client, complete, until } = await start();
  const { instanceId } = await complete("doubled", 4);
  const idle = await client.startNew("idle");
  await until(idle, "Running");
  const ids = async (filter: Parameters<typeof client.getStatusBy>[0]) =>
    (await client.getStatusBy(filter)).map((each) => each.instanceId);
  expect(await ids({ runtimeStatus: [df.OrchestrationRuntimeStatus.Completed] })).toEqual([instanceId]);
  expect(await ids({ createdTimeFrom: new Date(Date.now() + 60_000) })).toEqual([]);
  expect((await ids({ createdTimeTo: new Date(Date.now() + 60_000) })).toSorted()).toEqual(
    [instanceId, idle].toSorted(),
  );
});

test("a history is shown merged, with results only on demand, and the input only if wanted", async () => {
  const { complete, extension } = await start();
  const { instanceId } = await complete("doubled", 4);
  const get = async (query: string) =>
    (await (await fetch(`${extension.rpcUrl()}instances/${instanceId}?${query}`)).json()) as Record<string, unknown>;
  const { historyEvents, input } = await get("showHistory=true&showInput=false");
  expect(input).toBeNull();
  expect(historyEvents).toMatchObject([
    { EventType: "ExecutionStarted", FunctionName: "doubled" },
    { EventType: "TaskCompleted", FunctionName: "double", ScheduledTime: expect.any(String) as unknown },
    { EventType: "ExecutionCompleted", OrchestrationStatus: "Completed" },
  ]);
  expect(JSON.stringify(historyEvents)).not.toContain("Result");
  expect(JSON.stringify(await get("showHistory=true&showHistoryOutput=true"))).toContain('"Result":8');
  const plain = await get("");
  expect(plain["createdTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(Object.keys(plain)).toEqual([
    "name",
    "instanceId",
    "runtimeStatus",
    "input",
    "customStatus",
    "output",
    "createdTime",
    "lastUpdatedTime",
  ]);
});

test("restarting under the same id waits for the end, and keeps the input", async () => {
  const { client, complete, until, extension } = await start();
  const restart = (id: string) =>
    fetch(`${extension.rpcUrl()}instances/${id}/restart?restartWithNewInstanceId=false`, { method: "POST" });
  const { instanceId } = await complete("doubled", 4, "again");
  expect((await restart(instanceId)).status).toBe(202);
  expect((await until(instanceId)).output).toBe(8);
  const idle = await client.startNew("idle");
  expect((await restart(idle)).status).toBe(409);
});

test("the links that a client makes name the public origin and the instance", async () => {
  const { client, origin } = await start();
  const { statusQueryGetUri, id } = client.createHttpManagementPayload("some-id");
  expect(id).toBe("some-id");
  expect(statusQueryGetUri.startsWith(`${origin}/runtime/webhooks/durabletask/instances/some-id?`)).toBe(true);
});

test("the number of durable writes can be read", async () => {
  const { client, extension } = await start();
  const writes = async () =>
    ((await (await fetch(`${extension.rpcUrl()}embedded/writes`)).json()) as { writes: number }).writes;
  const before = await writes();
  await client.startNew("idle");
  expect(await writes()).toBeGreaterThan(before);
});

test("the keyless listener takes nothing from a web page", async () => {
  const { extension } = await start();
  const url = `${extension.rpcUrl()}instances`;
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect((await fetch(url.replace("127.0.0.1", "localhost"))).status).toBe(403);
});
