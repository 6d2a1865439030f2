import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createScheduleMonitor } from "#local/host/schedule-monitor.ts";
import type { RunningApp } from "./start-app.ts";
import { createApp, createTempFolder, eventually, fixture, startApp } from "./start-app.ts";

const schedule = "0 0 3 * * *";
const env = { NIGHTLY: schedule };

async function recordsOf(app: RunningApp, name: string): Promise<Record<string, unknown>[]> {
  return (await (await fetch(`${app.url}/api/records?name=${name}`)).json()) as Record<string, unknown>[];
}

async function firstRecordOf(app: RunningApp, name: string): Promise<Record<string, unknown>> {
  return eventually(async () => (await recordsOf(app, name))[0]);
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("timer triggers", () => {
  test("a due time that passed while the host was down is made up for once", async () => {
    const stateFolder = createTempFolder();
    const next = new Date(Date.now() - 3_600_000);
    const monitor = createScheduleMonitor(join(stateFolder, "schedules.sqlite"));
    monitor.set("nightly", { schedule, last: undefined, next, lastUpdated: next });
    monitor.close();
    const app = await startApp(fixture("esm-app"), { env, stateFolder });
    expect(await firstRecordOf(app, "nightly")).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: {
        last: "0001-01-01T00:00:00+00:00",
        next: next.toISOString().replace("Z", "+00:00"),
        lastUpdated: next.toISOString().replace("Z", "+00:00"),
      },
      isPastDue: true,
    });
    await app.stop();

    const again = await startApp(fixture("esm-app"), { env, stateFolder });
    await firstRecordOf(again, "often");
    expect(await recordsOf(again, "nightly")).toEqual([]);
  });

  test("another schedule voids what is stored without a run", async () => {
    const stateFolder = createTempFolder();
    const next = new Date(Date.now() - 3_600_000);
    const monitor = createScheduleMonitor(join(stateFolder, "schedules.sqlite"));
    monitor.set("nightly", { schedule: "0 0 4 * * *", last: next, next, lastUpdated: next });
    const app = await startApp(fixture("esm-app"), { env, stateFolder });
    await firstRecordOf(app, "often");
    expect(await recordsOf(app, "nightly")).toEqual([]);
    expect(monitor.get("nightly")).toMatchObject({ schedule, last: undefined });
    monitor.close();
  });

  test("a schedule within the minute has no status, and a failed run is retried as its option says", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const [first, second] = await eventually(async () => {
      const records = await recordsOf(app, "often");
      return records.length >= 2 ? records : undefined;
    });
    expect(first).toEqual({ timer: { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false } });
    expect(second).toMatchObject({
      retryContext: { retryCount: 1, maxRetryCount: 2, exception: { message: "the first try fails" } },
    });
  });

  test("a run at start-up ends within the stop's grace and leaves its record", async () => {
    const main = `
      import { app } from "@azure/functions";
      import { setTimeout as sleep } from "node:timers/promises";
      app.timer("atStart", { schedule: "0 0 3 * * *", runOnStartup: true, handler: () => sleep(300) });`;
    const app = await startApp(createApp({ "main.js": main }));
    expect(await app.stop()).toBe(0);
    const monitor = createScheduleMonitor(join(app.stateFolder, "schedules.sqlite"));
    expect(monitor.get("atStart")?.last).toBeInstanceOf(Date);
    monitor.close();
    expect(app.output()).not.toContain("left behind");
  });

  test("a schedule that cannot be read fails that function only, and the host's status says so", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const status = await fetch(`${app.url}/admin/host/status`, { headers: { "x-functions-key": app.keys.master } });
    const body = (await status.json()) as { state: string; errors: string[] };
    expect(body.state).toBe("Running");
    expect(body.errors.find((error) => error.includes("'unparsable'"))).toContain("has 4 fields");
    expect(body.errors.find((error) => error.includes("'unserved'"))).toContain("queuetrigger");
  });
});

describe("the admin API", () => {
  test("fires a timer by hand and takes only the master key", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const place = `${app.url}/admin/functions/nightly`;
    expect((await post(place, { input: "" })).status).toBe(401);
    expect((await post(place, { input: "" }, { "x-functions-key": app.keys.default })).status).toBe(401);
    expect((await post(place, { input: "" }, { "x-functions-key": app.keys.master })).status).toBe(202);
    expect(await firstRecordOf(app, "nightly")).toMatchObject({
      isPastDue: false,
      scheduleStatus: { last: "0001-01-01T00:00:00+00:00" },
    });
  });

  test("hands an input to an Event Grid function and refuses what it cannot start", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const run = (name: string, input: string) =>
      post(`${app.url}/admin/functions/${name}`, { input }, { "x-functions-key": app.keys.master });
    expect((await run("onEvent", '{"id":"7","subject":"by hand"}')).status).toBe(202);
    expect(await firstRecordOf(app, "onEvent")).toMatchObject({ id: "7", subject: "by hand" });
    expect((await run("onEvent", "{")).status).toBe(400);
    expect((await run("echo", "")).status).toBe(400);
    expect((await run("noSuchFunction", "")).status).toBe(404);
  });
});

describe("Event Grid triggers", () => {
  const place = (app: RunningApp, name: string, key = app.keys.system.eventgrid_extension): string =>
    `${app.url}/runtime/webhooks/EventGrid?functionName=${name}&code=${key}`;

  test("the key comes first, then the function's name in its own capitals", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    expect((await post(place(app, "noSuchFunction", "wrong"), [])).status).toBe(401);
    const missing = await post(place(app, "OnEvent"), []);
    expect([missing.status, await missing.text()]).toEqual([404, "cannot find function: 'OnEvent'"]);
    expect((await post(place(app, "echo"), [])).status).toBe(404);
  });

  test("the handshake is answered in both schemas", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const headers = { "aeg-event-type": "subscriptionvalidation" };
    const array = await post(place(app, "onEvent"), [{ data: { validationCode: "abc" } }], headers);
    expect(await array.json()).toEqual({ validationResponse: "abc" });
    const cloudEvent = await post(place(app, "onEvent"), { data: '{"validationCode":"def"}' }, headers);
    expect(await cloudEvent.json()).toEqual({ validationResponse: "def" });
  });

  test("every event of a delivery is one invocation, and the answer waits for them", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const events = ["1", "2", "3"].map((id) => ({ id, subject: "s", data: { Api: id } }));
    expect((await post(place(app, "onEvent"), events, { "aeg-event-type": "Notification" })).status).toBe(202);
    expect(await recordsOf(app, "onEvent")).toEqual(
      events.map(({ id }) => ({ id, subject: "s", metadata: { api: id } })),
    );
    expect((await post(place(app, "onEvent"), events[0], { "aeg-event-type": "Notification" })).status).toBe(202);
    expect(await recordsOf(app, "onEvent")).toHaveLength(4);
    expect((await post(place(app, "onEvents"), events, { "aeg-event-type": "Notification" })).status).toBe(202);
    expect(await recordsOf(app, "onEvents")).toEqual([events]);
  });

  test("one failure makes the whole delivery 500, without the credentials in its message", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const events = ["ok", "fail", "ok"].map((subject, index) => ({ id: String(index), subject, data: {} }));
    const answer = await post(place(app, "onEvent"), events, { "aeg-event-type": "Notification" });
    expect([answer.status, await answer.text()]).toEqual([500, "cannot take [Hidden Credential]"]);
    expect(await recordsOf(app, "onEvent")).toHaveLength(3);
  });

  test("an unsubscription is 202, an unknown kind 400, a body that is no event 500", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const send = async (kind: string | undefined, body: unknown) =>
      (await post(place(app, "onEvent"), body, kind === undefined ? {} : { "aeg-event-type": kind })).status;
    expect(await send("Unsubscribe", {})).toBe(202);
    expect(await send("Party", {})).toBe(400);
    expect(await send(undefined, {})).toBe(400);
    expect(await send("Notification", "text")).toBe(500);
  });
});
