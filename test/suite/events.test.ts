// Events promise nothing: each of these runs must end as if they had come once, in time, and from the right sender.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureHostKeys } from "#local/host/host-keys.ts";
import type { RunDocument } from "#shared/api.ts";
import { endMarkerPath } from "#shared/domain/layout.ts";
import { appending, nodeOf, writing } from "./app.ts";
import { openOwnStack, type OwnStack } from "./own-stack.ts";

let own: OwnStack;
beforeAll(async () => {
  own = await openOwnStack();
});
afterAll(() => own.close());

const chain = () => ({ first: writing("one "), second: appending("first", "two ") });

/** How a chain went: every node once, in order, and the text that it made. */
async function chainOf(run: RunDocument) {
  const puts = await own.controls().jobPuts(run.runId);
  return {
    nodes: run.nodes.map(({ name, status, attempt }) => `${name} ${status} ${attempt}`),
    text: await own.app().read(run.runId, "second", "result", "text"),
    puts: puts.map(({ status }) => status),
  };
}

const wholeChain = { nodes: ["first completed 1", "second completed 1"], text: "one two ", puts: [201, 201] };

/** What Event Grid would send of a blob; the answer of the app's endpoint. */
async function sendEvent({ path, container, key, api = "PutBlob" }: SentEvent): Promise<number> {
  const keys = ensureHostKeys(join(own.home, "host"));
  const [found] = (await own.controls().commits()).toReversed();
  const subject = `/blobServices/default/containers/${container ?? found?.container}/blobs/${path}`;
  const answer = await fetch(
    `${own.stack().url}/runtime/webhooks/EventGrid?functionName=outputWritten&code=${key ?? keys.system.eventgrid_extension}`,
    {
      method: "POST",
      headers: { "content-type": "application/json", "aeg-event-type": "Notification" },
      body: JSON.stringify([
        {
          id: randomUUID(),
          topic: "/anybody",
          subject,
          eventType: "Microsoft.Storage.BlobCreated",
          eventTime: new Date().toISOString(),
          data: { api, url: `https://anybody.example/${path}` },
          dataVersion: "",
          metadataVersion: "1",
        },
      ]),
    },
  );
  await answer.text();
  return answer.status;
}

interface SentEvent {
  readonly path: string;
  /** The workspace's own when absent. */
  readonly container?: string;
  /** The right one when absent. */
  readonly key?: string;
  readonly api?: string;
}

const jobGets = async () => (await own.controls().counters()).calls["jobs.get"] ?? 0;

describe("an event", () => {
  test("that is lost costs time and nothing else", async () => {
    await own.controls().setEventFaults({ lose: 1 });
    await own.controls().setWorkspaceFaults({ events: { lose: 1 } });
    const { runId } = await own.app().start({ first: writing("one ") });
    const run = await own.app().ended(runId);
    await own.controls().setEventFaults();
    await own.controls().setWorkspaceFaults();
    expect(run.status).toBe("completed");
    expect(await own.app().read(runId, "first", "result", "text")).toBe("one ");
    expect(await own.controls().jobPuts(runId)).toHaveLength(1);
  });

  test("that comes twice starts nothing twice", async () => {
    await own.controls().setEventFaults({ double: 1 });
    await own.controls().setWorkspaceFaults({ events: { double: 1 } });
    const { runId } = await own.app().start(chain());
    const run = await own.app().ended(runId);
    await own.controls().setEventFaults();
    await own.controls().setWorkspaceFaults();
    expect(await chainOf(run)).toEqual(wholeChain);
  });

  test("that comes again after its node, and its run, have ended changes nothing", async () => {
    const { runId } = await own.app().start(chain());
    const run = await own.app().ended(runId);
    const { etag } = await own.app().getRun(runId);
    for (const node of ["first", "second"]) {
      expect(await sendEvent({ path: endMarkerPath({ runId, node, attempt: 1 }) })).toBe(202);
    }
    expect(await chainOf(run)).toEqual(wholeChain);
    expect((await own.app().getRun(runId)).etag).toBe(etag);
  });

  test("that comes before its job has ended makes the node ask, and wait on", async () => {
    const gate = own.gate('printf "late " > "${{outputs.result}}/text"');
    const { runId } = await own.app().start({ first: gate.node, second: appending("first", "two ") });
    await gate.reached();
    const before = await jobGets();
    expect(await sendEvent({ path: endMarkerPath({ runId, node: "first", attempt: 1 }) })).toBe(202);
    while ((await jobGets()) === before) await delay(20);
    const { document } = await own.app().getRun(runId);
    expect(nodeOf(document, "first").status).toBe("running");
    expect(nodeOf(document, "second").status).toBe("waiting");
    await gate.open();
    const run = await own.app().ended(runId);
    expect(run.status).toBe("completed");
    expect(await own.app().read(runId, "second", "result", "text")).toBe("late two ");
    expect(await own.controls().jobPuts(runId)).toHaveLength(2);
  });

  test("with a wrong key reaches nobody", async () => {
    const gate = own.gate();
    const { runId } = await own.app().start({ node: gate.node });
    await gate.reached();
    const path = endMarkerPath({ runId, node: "node", attempt: 1 });
    const { default: apiKey } = ensureHostKeys(join(own.home, "host"));
    for (const key of ["", "wrong", apiKey]) expect(await sendEvent({ path, key })).toBe(401);
    await gate.open();
    expect((await own.app().ended(runId)).status).toBe("completed");
  });

  test("of another run, of nobody's, or of another blob disturbs no run", async () => {
    const [gate, other] = [own.gate(), own.gate()];
    const [{ runId }, { runId: otherId }] = [
      await own.app().start({ node: gate.node }),
      await own.app().start({ node: other.node }),
    ];
    await Promise.all([gate.reached(), other.reached()]);
    const container = (await own.controls().commits()).at(-1)?.container ?? "";
    const mine = endMarkerPath({ runId, node: "node", attempt: 1 });
    const events: SentEvent[] = [
      { path: endMarkerPath({ runId: "nobody_knows_me", node: "node", attempt: 1 }) },
      { path: endMarkerPath({ runId, node: "no_such_node", attempt: 1 }) },
      { path: endMarkerPath({ runId: otherId, node: "node", attempt: 1 }) },
      { path: mine, container: `${container}-of-another` },
      { path: mine, api: "CreateFile" },
      { path: `mlpipe/runs/${runId}/node/1/result/.ended.json` },
      { path: "mlpipe/runs/../../x" },
    ];
    for (const event of events) expect(await sendEvent(event)).toBe(202);
    for (const id of [runId, otherId]) {
      expect(nodeOf((await own.app().getRun(id)).document, "node").status).toBe("running");
    }
    await gate.open();
    expect((await own.app().ended(runId)).status).toBe("completed");
    expect((await own.app().getRun(otherId)).document.status).toBe("running");
    await other.open();
    expect((await own.app().ended(otherId)).status).toBe("completed");
    for (const id of [runId, otherId]) expect(await own.controls().jobPuts(id)).toHaveLength(1);
  });

  test("that is no event is refused or dropped", async () => {
    const keys = ensureHostKeys(join(own.home, "host"));
    const url = `${own.stack().url}/runtime/webhooks/EventGrid?functionName=outputWritten&code=${keys.system.eventgrid_extension}`;
    const headers = { "content-type": "application/json", "aeg-event-type": "Notification" };
    for (const body of ['[{"subject":5}]', "[{}]", "[null]", '[{"eventType":"Microsoft.Storage.BlobCreated"}]']) {
      const answer = await fetch(url, { method: "POST", headers, body });
      await answer.text();
      expect([body, answer.status]).toEqual([body, 202]);
    }
    expect((await own.app().call("runs")).status).toBe(200);
  });
});
