// Stands in for Event Grid on one machine: filters, then immediate delivery. Events live in memory: a crash loses them,
// as the network may, and whoever listens has a back-stop for that.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { createDelivery, type Delivery, type EventGridEvent } from "./event-delivery.ts";
import { createFaultSource, EventFaults } from "./event-faults.ts";

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
  /** Begins the validation handshake; events published from now on wait for it. */
  readonly subscribe: (subscription: EventSubscription) => void;
  /** Returns at once. */
  readonly publish: (event: EventGridEvent) => void;
  readonly faults: () => EventFaults;
  readonly setFaults: (faults: EventFaults) => void;
  /** Drops what is not delivered. */
  readonly close: () => void;
}

export interface EventGridOptions {
  readonly log: Pick<Logger, "info" | "warn">;
  readonly faults?: EventFaults | undefined;
  /** Multiplies the waits of the retry schedule (10 s, 30 s, 1 min ...); 1 when absent. */
  readonly retryScale?: number | undefined;
}

export function createEventGrid({ log, faults = EventFaults.parse({}), retryScale = 1 }: EventGridOptions): EventGrid {
  const source = createFaultSource(faults);
  const subscriptions: {
    filter: (event: EventGridEvent) => boolean;
    delivery: Delivery;
    held: EventGridEvent[];
  }[] = [];

  return {
    subscribe(subscription) {
      const { name, topic, endpoint } = subscription;
      const delivery = createDelivery({ subscription: name, topic, endpoint, log, retryScale });
      subscriptions.push({ filter: createFilter(subscription), delivery, held: [] });
    },
    publish(event) {
      for (const { filter, delivery, held } of subscriptions) {
        if (!filter(event)) continue;
        const fault = source.decide(event.subject);
        if (fault !== undefined) log.warn({ id: event.id, subject: event.subject, fault }, "event met a fault");
        const { delayMs } = source.get();
        if (fault === "lose") continue;
        if (fault === "delay") {
          void delay(delayMs, undefined, { ref: false }).then(() => delivery.send(event));
          continue;
        }
        if (fault === "reorder") {
          held.push(event);
          void delay(delayMs, undefined, { ref: false }).then(() => {
            if (!held.includes(event)) return;
            held.splice(held.indexOf(event), 1);
            delivery.send(event);
          });
          continue;
        }
        delivery.send(event);
        if (fault === "double") delivery.send(event);
        for (const late of held.splice(0)) delivery.send(late);
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
