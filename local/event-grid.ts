// Stands in for Event Grid on one machine: filters, then immediate delivery. What is published is kept until it is delivered, also
// over a crash where there is an outbox.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { createDelivery, type Delivery, type EventGridEvent } from "./event-delivery.ts";
import { createFaultSource, EventFaults } from "./event-faults.ts";
import { openOutbox, type Outbox } from "./event-outbox.ts";

export interface EventSubscription {
  readonly name: string;
  /** ARM id of the resource whose events it takes. */
  readonly topic: string;
  /** Where events are POSTed. Holds a key: never to be logged. */
  readonly endpoint: string;
  /** Compared without regard to case, as the service does by default. */
  readonly subjectBeginsWith?: string | undefined;
  readonly subjectEndsWith?: string | undefined;
  /** All types when absent. */
  readonly includedEventTypes?: readonly string[] | undefined;
}

export interface EventGrid {
  /** Begins the validation handshake; events published from now on wait for it, and those that a crash has left. */
  readonly subscribe: (subscription: EventSubscription) => void;
  /** Returns at once, and from then on the event is not lost. What is sent is `better` once that is known. */
  readonly publish: (event: EventGridEvent, better?: Promise<EventGridEvent>) => void;
  readonly faults: () => EventFaults;
  readonly setFaults: (faults: EventFaults) => void;
  /** Ends all deliveries; what is not delivered, or published from now on, stays in the outbox. */
  readonly close: () => void;
}

export interface EventGridOptions {
  readonly log: Pick<Logger, "info" | "warn">;
  readonly faults?: EventFaults | undefined;
  /** Multiplies the waits of the retry schedule (10 s, 30 s, 1 min ...); 1 when absent. */
  readonly retryScale?: number | undefined;
  /** See `DeliveryOptions`. */
  readonly knockMs?: number | undefined;
  /** One that forgets when absent. */
  readonly outbox?: Outbox | undefined;
}

interface Subscribed {
  readonly name: string;
  readonly filter: (event: EventGridEvent) => boolean;
  readonly delivery: Delivery;
  /** Held back until the next event has gone out. */
  readonly held: Set<() => void>;
}

const maxAgeMs = 24 * 3600 * 1000;

export function createEventGrid(options: EventGridOptions): EventGrid {
  const { log, faults = EventFaults.parse({}), retryScale = 1, knockMs, outbox = openOutbox(":memory:") } = options;
  const source = createFaultSource(faults);
  const subscriptions: Subscribed[] = [];

  function send({ name, delivery, held }: Subscribed, event: EventGridEvent, id: number): void {
    const go = () => delivery.send(event, () => outbox.remove(id));
    const fault = source.decide(event.subject);
    if (fault !== undefined)
      log.warn({ id: event.id, subject: event.subject, fault, subscription: name }, "event met a fault");
    const { delayMs } = source.get();
    const later = (act: () => void) => void delay(delayMs, undefined, { ref: false }).then(act);
    if (fault === "lose") return outbox.remove(id);
    if (fault === "delay") return later(go);
    if (fault === "reorder") {
      held.add(go);
      return later(() => void (held.delete(go) && go()));
    }
    if (fault === "double") go();
    go();
    for (const late of held) {
      held.delete(late);
      late();
    }
  }

  return {
    subscribe(subscription) {
      const { name, topic, endpoint } = subscription;
      const delivery = createDelivery({ subscription: name, topic, endpoint, log, retryScale, knockMs });
      subscriptions.push({ name, filter: createFilter(subscription), delivery, held: new Set() });
      for (const { id, event, since } of outbox.pending(name)) {
        if (Date.now() - since > maxAgeMs) outbox.remove(id);
        else delivery.send(event, () => outbox.remove(id), since);
      }
    },
    publish(event, better) {
      for (const one of subscriptions) {
        if (!one.filter(event)) continue;
        const id = outbox.add(one.name, event);
        if (better === undefined) send(one, event, id);
        else void better.then((known) => send(one, known, id));
      }
    },
    faults: source.get,
    setFaults: source.set,
    close() {
      for (const { delivery } of subscriptions) delivery.close();
    },
  };
}

function createFilter(subscription: EventSubscription): (event: EventGridEvent) => boolean {
  const begin = (subscription.subjectBeginsWith ?? "").toLowerCase();
  const end = (subscription.subjectEndsWith ?? "").toLowerCase();
  return ({ topic, subject, eventType }) => {
    const text = subject.toLowerCase();
    const isOfType = subscription.includedEventTypes?.includes(eventType) ?? true;
    return isOfType && topic === subscription.topic && text.startsWith(begin) && text.endsWith(end);
  };
}
