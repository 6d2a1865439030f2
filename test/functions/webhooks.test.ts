import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  DeadLetterList,
  type RunDocument,
  WebhookAnswer,
  WebhookDocument,
  WebhookList,
  WebhookTestAnswer,
} from "#shared/api.ts";
import type { Message } from "#shared/domain/webhook/notification.ts";
import { shell } from "#test/suite/app.ts";
import { type DatasetWorld, startDatasetWorld } from "./dataset-world.ts";

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly message: Message;
}

let world: DatasetWorld;
let base: string;
let received: Received[];
let status: (path: string, nth: number) => number;
const server = createServer((request, response) => {
  void request.toArray().then((chunks) => {
    const body = Buffer.concat(chunks).toString();
    const path = request.url ?? "";
    received.push({ path, headers: request.headers, body, message: JSON.parse(body) as Message });
    response.writeHead(status(path, received.filter((one) => one.path === path).length)).end();
  });
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  world = await startDatasetWorld({}, { MLPIPE_WEBHOOK_ALLOW: "127.0.0.0/8", MLPIPE_LOG_LEVEL: "debug" });
});
afterAll(async () => {
  await world.remove();
  server.close();
  server.closeAllConnections();
});
beforeEach(async () => {
  received = [];
  status = () => 204;
  const { webhooks } = WebhookList.parse(await (await world.app.call("webhooks")).json());
  for (const { name } of webhooks) await world.app.call(`webhooks/${name}`, { method: "DELETE" });
});

async function register(name: string, body: object): Promise<WebhookAnswer> {
  const answer = await world.app.call(`webhooks/${name}`, { method: "PUT", body: { url: `${base}/${name}`, ...body } });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return WebhookAnswer.parse(await answer.json());
}

const startRun = (command: string) => world.app.start({ work: shell(command) }, { name: "told" });
const ended = (runId: string) => world.app.ended(runId);
const typesAt = (path: string) => received.filter((one) => one.path === path).map(({ message }) => message.type);

async function awaited(path: string, type: string): Promise<Received> {
  return world.until(`${type} at ${path}`, async () =>
    received.find((one) => one.path === path && one.message.type === type),
  );
}

function isSignedWith(secret: string | undefined, { headers, body }: Received): boolean {
  const key = Buffer.from((secret ?? "").replace("whsec_", ""), "base64");
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(expected);
}

describe("a webhook", () => {
  test("is told of a run and of its nodes, signed, each once", async () => {
    const { secret } = await register("all", { events: ["*"] });
    const { runId } = await startRun("true");
    await ended(runId);
    const end = await awaited("/all", "run.completed");
    await world.until("four messages", async () => (typesAt("/all").length >= 4 ? true : undefined));
    expect(typesAt("/all").toSorted()).toEqual(["node.completed", "node.started", "run.completed", "run.started"]);
    expect(end.message.data).toMatchObject({ runId, pipeline: "told", status: "completed" });
    expect(end.headers["webhook-id"]).toMatch(/^msg_/);
    expect(Math.abs(Date.now() / 1000 - Number(end.headers["webhook-timestamp"]))).toBeLessThan(60);
    expect(received.every((one) => isSignedWith(secret, one))).toBe(true);
    expect(isSignedWith("whsec_AAAA", end)).toBe(false);
  });

  test("hears why a run failed, and of the pipelines that it asked for only", async () => {
    await register("failures", { events: ["run.failed", "node.failed"], pipelines: ["told"] });
    await register("others", { events: ["*"], pipelines: ["other"] });
    await ended((await startRun("exit 3")).runId);
    const { message } = await awaited("/failures", "run.failed");
    expect(message.data).toMatchObject({ status: "failed", failure: { node: "work" } });
    expect((await awaited("/failures", "node.failed")).message.data).toMatchObject({ node: "work", attempt: 1 });
    expect(typesAt("/failures").toSorted()).toEqual(["node.failed", "run.failed"]);
    expect(typesAt("/others")).toEqual([]);
  });

  test("is told once when a run waits for somebody's answer, and of what", async () => {
    await register("people", { events: ["run.waiting", "run.completed"] });
    const promote = { model: "${{parent.jobs.train.outputs.model}}", name: "digits", approval: { timeout: 3600 } };
    const command = "printf model > ${{outputs.model}}/model";
    const train = shell(command, { outputs: { model: { type: "uri_folder" } } });
    const { runId } = await world.app.start({ train }, { name: "told", settings: { mlpipe: { promote } } });
    const { message } = await awaited("/people", "run.waiting");
    const waitsFor = "approval of model digits for production";
    expect(message.data).toMatchObject({ runId, pipeline: "told", status: "running", node: "promote", waitsFor });
    await world.app.call(`runs/${runId}/approve`, { method: "POST", body: { decision: "reject" } });
    await awaited("/people", "run.completed");
    expect(typesAt("/people")).toEqual(["run.waiting", "run.completed"]);
  });

  test("that does not answer keeps no run waiting, and gets its message when it is back", async () => {
    status = (path, nth) => (path === "/flaky" && nth === 1 ? 503 : 204);
    await register("flaky", { events: ["run.completed"] });
    const run: RunDocument = await ended((await startRun("true")).runId);
    expect(run.status).toBe("completed");
    await world.until("a second try", async () => (received.length === 2 ? true : undefined));
    const [first, second] = received;
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body).toBe(first?.body);
  });

  test("that wants no more leaves a dead letter, which can be sent again", async () => {
    status = (path, nth) => (path === "/gone" && nth === 1 ? 410 : 204);
    await register("gone", { events: ["run.completed"] });
    const { runId } = await startRun("true");
    const letter = await world.until("a dead letter", async () => {
      const list = DeadLetterList.parse(await (await world.app.call("webhooks/gone/dead-letters")).json());
      return list.deadLetters[0];
    });
    expect(letter).toMatchObject({
      attempts: 1,
      reason: "it answered 410: it wants no more",
      message: { data: { runId } },
    });
    const answer = await world.app.call(`webhooks/gone/dead-letters/${letter.id}/redeliver`, { method: "POST" });
    expect(answer.status).toBe(202);
    await world.until("it is sent again", async () => (received.length === 2 ? true : undefined));
    expect(received[1]?.headers["webhook-id"]).toBe(letter.message.id);
    const after = DeadLetterList.parse(await (await world.app.call("webhooks/gone/dead-letters")).json());
    expect(after.deadLetters).toEqual([]);
    const again = await world.app.call(`webhooks/gone/dead-letters/${letter.id}/redeliver`, { method: "POST" });
    expect(again.status).toBe(404);
  });

  test("whose name leads to a private address at the time of sending gets nothing", async () => {
    const body = {
      url: base.replace("http://127.0.0.1", "https://localhost").replace(/:\d+$/, ":1"),
      events: ["run.*"],
    };
    await world.app.call("webhooks/named", { method: "PUT", body });
    const tried = WebhookTestAnswer.parse(
      await (await world.app.call("webhooks/named/test", { method: "POST" })).json(),
    );
    expect(tried).toMatchObject({ isDelivered: false });
  });
});

describe("the API of webhooks", () => {
  test("shows a secret in the answer that makes it and never again", async () => {
    const { secret = "" } = await register("once", { url: `${base}/once?sig=hidden` });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const changed = await register("once", { events: ["node.*"] });
    expect(changed.secret).toBeUndefined();
    const one = await (await world.app.call("webhooks/once")).text();
    const all = await (await world.app.call("webhooks")).text();
    for (const text of [one, all, JSON.stringify(changed)]) {
      expect(text).not.toContain(secret.slice(6));
      expect(text).not.toContain("hidden");
    }
    expect(WebhookDocument.parse(JSON.parse(one))).toMatchObject({ name: "once", events: ["node.*"], isEnabled: true });
  });

  test("changes a secret, and both sign for a while", async () => {
    const { secret: first } = await register("turn", {});
    const rotated = await world.app.call("webhooks/turn/secret", { method: "POST" });
    const { secret: second, previousSecretExpires } = WebhookAnswer.parse(await rotated.json());
    expect(second).not.toBe(first);
    expect(Date.parse(previousSecretExpires ?? "")).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    const tried = await world.app.call("webhooks/turn/test", { method: "POST" });
    expect(WebhookTestAnswer.parse(await tried.json())).toEqual({ isDelivered: true, status: 204 });
    const [message] = received;
    if (message === undefined) throw new Error("nothing was sent");
    expect([isSignedWith(first, message), isSignedWith(second, message)]).toEqual([true, true]);
    expect(message.message.type).toBe("webhook.test");

    await world.app.call("webhooks/turn/secret", { method: "POST", body: { revokesOld: true } });
    await world.app.call("webhooks/turn/test", { method: "POST" });
    const last = received.at(-1);
    if (last === undefined) throw new Error("nothing was sent");
    expect([isSignedWith(first, last), isSignedWith(second, last)]).toEqual([false, false]);
    expect(String(last.headers["webhook-signature"]).split(" ")).toHaveLength(1);
  });

  test.each([
    ["the metadata service", "http://169.254.169.254/metadata/instance", "private, local or the platform's own"],
    ["the platform's own address", "https://168.63.129.16/", "private, local or the platform's own"],
    ["a private address in another spelling", "https://0x0a.1/", "private, local or the platform's own"],
    ["a user in the address", "https://me:pw@hooks.example/", "user or password"],
    ["another scheme", "file:///etc/passwd", "url"],
    ["no address", "hooks", "url"],
  ])("refuses %s", async (_what, url, text) => {
    const answer = await world.app.call("webhooks/bad", { method: "PUT", body: { url } });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(text)]);
  });

  test("refuses events that nobody sends, and names of webhooks that are not there", async () => {
    const bad = await world.app.call("webhooks/bad", { method: "PUT", body: { url: base, events: ["run.finished"] } });
    expect(bad.status).toBe(400);
    for (const [path, method] of [
      ["webhooks/none", "GET"],
      ["webhooks/none", "DELETE"],
      ["webhooks/none/secret", "POST"],
      ["webhooks/none/test", "POST"],
    ] as const) {
      expect((await world.app.call(path, { method })).status).toBe(404);
    }
  });

  test("writes no secret, signature or query into the log", async () => {
    const { secret = "" } = await register("quiet", { url: `${base}/quiet?sig=hidden`, events: ["*"] });
    await ended((await startRun("true")).runId);
    await awaited("/quiet?sig=hidden", "run.completed");
    const log = readFileSync(world.logFile("host"), "utf8");
    expect(log).toContain("notification tried");
    expect(log).not.toContain(secret.slice(6, 30));
    expect(log).not.toContain("hidden");
    expect(log).not.toContain("v1,");
  });
});

test("a run costs no activity for notifications while no webhook is registered", async () => {
  const { runId } = await startRun("true");
  await ended(runId);
  const called = await world.activitiesOf(runId);
  expect(called).toContain("startNodes");
  expect(called).not.toContain("notifyRunEnd");
});
