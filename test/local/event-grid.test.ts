import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { EventGridEvent } from "#local/event-delivery.ts";
import { EventFaults } from "#local/event-faults.ts";
import { createEventGrid, type EventGrid, type EventSubscription } from "#local/event-grid.ts";
import { openOutbox, type Outbox } from "#local/event-outbox.ts";
import { findFreePorts } from "#local/free-ports.ts";
import { startEndpoint } from "./storage/start-storage.ts";

const topic = "/subscriptions/s/some-account";
const log = pino({ level: "silent" });
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

function eventOf(name: string, rest: Partial<EventGridEvent> = {}): EventGridEvent {
  const eventTime = new Date().toISOString();
  const fixed = {
    topic,
    eventType: "Some.Thing",
    eventTime,
    data: {},
    dataVersion: "",
    metadataVersion: "1",
  };
  return { ...fixed, id: name, subject: `/things/${name}`, ...rest };
}

async function startGrid(
  { faults = {}, ...subscription }: Partial<EventSubscription> & { faults?: object },
  answer?: Parameters<typeof startEndpoint>[0],
) {
  const endpoint = await startEndpoint(answer);
  const grid: EventGrid = createEventGrid({
    log,
    faults: EventFaults.parse(faults),
    retryScale: 0.001,
  });
  grid.subscribe({ name: "one", topic, endpoint: endpoint.url, ...subscription });
  endings.push(endpoint.close, grid.close);
  return { grid, endpoint };
}

describe("subscriptions", () => {
  test("take the events whose subject, type and topic fit, whatever the case of the subject", async () => {
    const { grid, endpoint } = await startGrid({
      subjectBeginsWith: "/Things/In/",
      subjectEndsWith: ".JSON",
      includedEventTypes: ["Some.Thing"],
    });
    grid.publish(eventOf("out/a.json"));
    grid.publish(eventOf("in/a.csv"));
    grid.publish(eventOf("in/a.json", { eventType: "Other.Thing" }));
    grid.publish(eventOf("in/a.json", { topic: "/subscriptions/s/other" }));
    grid.publish(eventOf("in/b.json"));
    expect((await endpoint.received(1)).map(({ id }) => id)).toEqual(["in/b.json"]);
    expect(endpoint.validations()).toBe(1);
  });

  test("deliver nothing before the endpoint has answered the handshake, and lose nothing while they wait", async () => {
    const [port = 0] = await findFreePorts(1);
    const grid = createEventGrid({ log });
    grid.subscribe({ name: "early", topic, endpoint: `http://127.0.0.1:${port}/hook` });
    grid.publish(eventOf("first"));
    await delay(60);
    const seen: (string | undefined)[] = [];
    const arrived = Promise.withResolvers<void>();
    const server = createServer((request, response) => void handle(request, response));
    async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const [event] = JSON.parse((await request.toArray()).join("")) as [EventGridEvent];
      seen.push(request.headers["aeg-event-type"] as string);
      const { validationCode } = event.data as { validationCode?: string };
      // The first answer is wrong: it must not count.
      response.end(JSON.stringify({ validationResponse: seen.length === 1 ? "guess" : validationCode }));
      if (validationCode === undefined) arrived.resolve();
    }
    server.listen(port, "127.0.0.1");
    endings.push(
      grid.close,
      () => server.closeAllConnections(),
      () => server.close(),
    );
    await arrived.promise;
    expect(seen).toEqual(["SubscriptionValidation", "SubscriptionValidation", "Notification"]);
  });
});

describe("delivery", () => {
  test("is tried again after a failure, counting the attempts", async () => {
    const { grid, endpoint } = await startGrid({}, (_, nth) => (nth < 3 ? 500 : 200));
    grid.publish(eventOf("stubborn"));
    await endpoint.received(3);
    expect(endpoint.delivered.map(({ headers }) => headers["aeg-delivery-count"])).toEqual(["0", "1", "2"]);
  });

  test("ends at an answer that says the event itself is wrong", async () => {
    const { grid, endpoint } = await startGrid({}, ({ events }) => (events[0]?.id === "wrong" ? 400 : 202));
    grid.publish(eventOf("wrong"));
    await endpoint.received(1);
    await delay(50);
    grid.publish(eventOf("right"));
    await endpoint.received(2);
    expect(endpoint.events().map(({ id }) => id)).toEqual(["wrong", "right"]);
  });

  test("of many events at once loses none and repeats none", async () => {
    const { grid, endpoint } = await startGrid({});
    for (let i = 0; i < 1000; i++) grid.publish(eventOf(String(i)));
    const events = await endpoint.received(1000);
    expect(new Set(events.map(({ id }) => id)).size).toBe(1000);
  });
});

describe("faults", () => {
  const names = (events: readonly EventGridEvent[]) => events.map(({ id }) => id);

  test("lose, double and delay the next events as told", async () => {
    const { grid, endpoint } = await startGrid({});
    grid.publish(eventOf("handshake done"));
    await endpoint.received(1);
    grid.setFaults(EventFaults.parse({ delayMs: 500, next: { lose: 1, double: 1, delay: 1 } }));
    for (const id of ["lost", "twice", "late", "plain"]) grid.publish(eventOf(id));
    const events = (await endpoint.received(5)).slice(1);
    expect(names(events).toSorted()).toEqual(["late", "plain", "twice", "twice"]);
    expect(names(events).at(-1)).toBe("late");
  });

  test("reorder lets the following event pass, and holds the last one no longer than the delay", async () => {
    const { grid, endpoint } = await startGrid({ faults: { reorder: 1, delayMs: 20 } });
    grid.publish(eventOf("alone"));
    expect(names(await endpoint.received(1))).toEqual(["alone"]);
    grid.setFaults(EventFaults.parse({ next: { reorder: 1 }, delayMs: 60_000 }));
    grid.publish(eventOf("first"));
    grid.publish(eventOf("second"));
    expect(
      names(await endpoint.received(3))
        .slice(1)
        .toSorted(),
    ).toEqual(["first", "second"]);
  });

  test("befall only the subjects they are told to", async () => {
    const { grid, endpoint } = await startGrid({ faults: { lose: 1, subjectContains: "unlucky" } });
    grid.publish(eventOf("unlucky"));
    grid.publish(eventOf("lucky"));
    expect(names(await endpoint.received(1))).toEqual(["lucky"]);
  });
});

describe("events in an outbox", () => {
  async function openFile(): Promise<() => Outbox> {
    const folder = await mkdtemp(join(tmpdir(), "mlpipe-outbox-"));
    endings.push(() => void rm(folder, { recursive: true, force: true }));
    return () => openOutbox(join(folder, "events.sqlite"));
  }

  test("are delivered after a crash, also one whose blob had not been measured, and only once", async () => {
    const open = await openFile();
    const [port = 0] = await findFreePorts(1);
    const crashed = createEventGrid({ log, outbox: open() });
    crashed.subscribe({ name: "one", topic, endpoint: `http://127.0.0.1:${port}/` });
    crashed.publish(eventOf("first"));
    crashed.publish(eventOf("second"), new Promise(() => undefined));
    // Nothing of it is closed: a killed process closes nothing.
    const endpoint = await startEndpoint();
    const next = createEventGrid({ log, outbox: open() });
    next.subscribe({ name: "other", topic, endpoint: endpoint.url });
    next.subscribe({ name: "one", topic, endpoint: endpoint.url });
    endings.push(endpoint.close, next.close, crashed.close);
    expect((await endpoint.received(2)).map(({ id }) => id)).toEqual(["first", "second"]);
    const look = open();
    while (look.pending("one").length > 0) await delay(5);
    look.close();
    expect(endpoint.delivered).toHaveLength(2);
  });

  test("stay there when the grid is closed in order", async () => {
    const open = await openFile();
    const [port = 0] = await findFreePorts(1);
    const grid = createEventGrid({ log, outbox: open() });
    grid.subscribe({ name: "one", topic, endpoint: `http://127.0.0.1:${port}/` });
    grid.publish(eventOf("kept"));
    grid.close();
    grid.publish(eventOf("late"));
    await delay(20);
    const look = open();
    expect(look.pending("one").map(({ event }) => event.id)).toEqual(["kept", "late"]);
    look.close();
  });
});

test("an endpoint that is gone is knocked at until it is back, without a word in the schedule", async () => {
  const [port = 0] = await findFreePorts(1);
  const answers = [202, 503, 503, 202];
  const seen: number[] = [];
  const serve = () =>
    new Promise<ReturnType<typeof createServer>>((resolve) => {
      const server = createServer((request, response) => {
        void request.toArray().then((chunks) => {
          const [event] = JSON.parse(chunks.join("")) as [EventGridEvent];
          if (request.headers["aeg-event-type"] === "SubscriptionValidation")
            return response.end(
              JSON.stringify({ validationResponse: (event.data as { validationCode: string }).validationCode }),
            );
          const status = answers.shift() ?? 202;
          seen.push(status);
          return response.writeHead(status, { connection: "close" }).end();
        });
      }).listen(port, "127.0.0.1", () => resolve(server));
    });
  const grid = createEventGrid({ log, retryScale: 1000, knockMs: 5 });
  const first = await serve();
  grid.subscribe({ name: "one", topic, endpoint: `http://127.0.0.1:${port}/` });
  grid.publish(eventOf("before"));
  while (seen.length < 1) await delay(5);
  first.closeAllConnections();
  await new Promise((resolve) => first.close(resolve));
  grid.publish(eventOf("meanwhile"));
  await delay(50);
  const second = await serve();
  endings.push(
    grid.close,
    () => second.closeAllConnections(),
    () => second.close(),
  );
  while (seen.length < 4) await delay(5);
  expect(seen).toEqual([202, 503, 503, 202]);
});
