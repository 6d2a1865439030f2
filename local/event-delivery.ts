// One subscription's way to its endpoint: the validation handshake, then every event by itself, at least once.
// https://learn.microsoft.com/azure/event-grid/delivery-and-retry · end-point-validation-event-grid-schema
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";

export interface EventGridEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  /** ISO 8601, UTC. */
  readonly eventTime: string;
  readonly data: unknown;
  readonly dataVersion: string;
  readonly metadataVersion: string;
}

export interface DeliveryOptions {
  readonly subscription: string;
  readonly topic: string;
  /** Holds a key: never to be logged. */
  readonly endpoint: string;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Multiplies every wait of the schedule; 1 is the service's. */
  readonly retryScale: number;
}

export interface Delivery {
  /** Returns at once. */
  send(event: EventGridEvent): void;
  /** Drops what is not delivered yet. */
  close(): void;
}

const answerLimitMs = 30_000;
const retrySeconds = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200];
const maxAttempts = 30;
const maxAgeMs = 24 * 3600 * 1000;
/** The service waits at least so long after these answers. */
const minSecondsAfter: Readonly<Record<number, number>> = {
  401: 300,
  403: 300,
  404: 300,
  408: 120,
  503: 30,
};
const neverRetried = new Set([400, 413]);
const maxWaiting = 10_000;
const maxInFlight = 64;

/** Starts the handshake at once and goes on until the endpoint answers; events wait for it. */
export function createDelivery({ subscription, topic, endpoint, log, retryScale }: DeliveryOptions): Delivery {
  const closing = new AbortController();
  const waiting: { event: EventGridEvent; attempt: number; firstTried: number }[] = [];
  let isValidated = false;
  let inFlight = 0;

  async function post(kind: "SubscriptionValidation" | "Notification", event: EventGridEvent, attempt: number) {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        "aeg-event-type": kind,
        "aeg-subscription-name": subscription.toUpperCase(),
        "aeg-delivery-count": String(attempt),
        "aeg-data-version": event.dataVersion,
        "aeg-metadata-version": event.metadataVersion,
      },
      body: JSON.stringify([event]),
      redirect: "manual",
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerLimitMs)]),
    });
    return { status: response.status, text: await response.text() };
  }

  async function validate(): Promise<void> {
    const validationCode = randomUUID();
    const event: EventGridEvent = {
      id: randomUUID(),
      topic,
      subject: "",
      eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
      eventTime: new Date().toISOString(),
      data: { validationCode },
      dataVersion: "2",
      metadataVersion: "1",
    };
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      const answer = await post("SubscriptionValidation", event, attempt).catch(() => undefined);
      if (answer?.status === 200 && validationResponseOf(answer.text) === validationCode) {
        isValidated = true;
        log.info({ subscription }, "endpoint validated");
        pump();
        return;
      }
      // The endpoint of a stack that is starting is a moment away; a stranger's is not worth more than a knock a second.
      await delay(Math.min(1000, 25 * 2 ** Math.min(attempt, 6)), undefined, {
        ref: false,
        signal: closing.signal,
      });
    }
  }

  function pump(): void {
    while (isValidated && inFlight < maxInFlight) {
      const next = waiting.shift();
      if (next === undefined) return;
      inFlight += 1;
      void deliver(next.event, next.attempt, next.firstTried).finally(() => {
        inFlight -= 1;
        pump();
      });
    }
  }

  async function deliver(event: EventGridEvent, attempt: number, firstTried: number): Promise<void> {
    const fields = { subscription, id: event.id, subject: event.subject, attempt };
    const status = await post("Notification", event, attempt).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (closing.signal.aborted) return;
    if (status !== undefined && status >= 200 && status <= 204) return log.info(fields, "event delivered");
    const isSpent = attempt + 1 >= maxAttempts || Date.now() - firstTried >= maxAgeMs;
    if (isSpent || (status !== undefined && neverRetried.has(status))) {
      return log.warn({ ...fields, status }, "event dropped");
    }
    const scheduled = retrySeconds[Math.min(attempt, retrySeconds.length - 1)] ?? 0;
    const seconds = Math.max(scheduled, minSecondsAfter[status ?? 0] ?? 0) * retryScale;
    log.warn({ ...fields, status, seconds }, "event not accepted, to be tried again");
    void delay(seconds * 1000, undefined, { ref: false, signal: closing.signal }).then(
      () => enqueue(event, attempt + 1, firstTried),
      () => undefined,
    );
  }

  function enqueue(event: EventGridEvent, attempt: number, firstTried: number): void {
    if (waiting.length >= maxWaiting) {
      const oldest = waiting.shift();
      log.warn({ subscription, id: oldest?.event.id }, "too many events wait, the oldest dropped");
    }
    waiting.push({ event, attempt, firstTried });
    pump();
  }

  void validate().catch(() => undefined);
  return {
    send: (event) => enqueue(event, 0, Date.now()),
    close() {
      closing.abort();
      waiting.length = 0;
    },
  };
}

function validationResponseOf(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "validationResponse" in body
      ? body.validationResponse
      : undefined;
  } catch {
    return undefined;
  }
}
