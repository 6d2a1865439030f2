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
  /** Milliseconds before the first of the knocks at an endpoint that is not there, or says that it is starting; the schedule's wait when absent. */
  readonly knockMs?: number | undefined;
}

export interface Delivery {
  /** Returns at once. `onSettled` is called when the event has been delivered or given up. */
  send(event: EventGridEvent, onSettled?: () => void, since?: number): void;
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
/** A starting host's answer. */
const unavailable = 503;
const knockGrowth = 1.3;
const maxKnockMs = 1000;
const maxWaiting = 10_000;
const maxInFlight = 64;

interface Waiting {
  readonly event: EventGridEvent;
  readonly attempt: number;
  /** Tries that found nobody. */
  readonly knocks: number;
  readonly since: number;
  readonly onSettled: () => void;
}

/** Starts the handshake at once and goes on until the endpoint answers; events wait for it. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { subscription, topic, endpoint, log, retryScale, knockMs } = options;
  const closing = new AbortController();
  const waiting: Waiting[] = [];
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
      void deliver(next).finally(() => {
        inFlight -= 1;
        pump();
      });
    }
  }

  async function deliver(one: Waiting): Promise<void> {
    const { event, attempt, knocks, since, onSettled } = one;
    const fields = { subscription, id: event.id, subject: event.subject, attempt };
    const status = await post("Notification", event, attempt).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (closing.signal.aborted) return;
    if (status !== undefined && status >= 200 && status <= 204) {
      onSettled();
      return log.info(fields, "event delivered");
    }
    const isSpent = attempt + 1 >= maxAttempts || Date.now() - since >= maxAgeMs;
    if (isSpent || (status !== undefined && neverRetried.has(status))) {
      onSettled();
      return log.warn({ ...fields, status }, "event dropped");
    }
    if (knockMs !== undefined && (status === undefined || status === unavailable)) {
      return retryAfter(Math.min(maxKnockMs, knockMs * knockGrowth ** knocks), { ...one, knocks: knocks + 1 });
    }
    const scheduled = retrySeconds[Math.min(attempt, retrySeconds.length - 1)] ?? 0;
    const seconds = Math.max(scheduled, minSecondsAfter[status ?? 0] ?? 0) * retryScale;
    log.warn({ ...fields, status, seconds }, "event not accepted, to be tried again");
    retryAfter(seconds * 1000, { ...one, attempt: attempt + 1 });
  }

  function retryAfter(ms: number, one: Waiting): void {
    void delay(ms, undefined, { ref: false, signal: closing.signal }).then(
      () => enqueue(one),
      () => undefined,
    );
  }

  function enqueue(one: Waiting): void {
    if (waiting.length >= maxWaiting) {
      const oldest = waiting.shift();
      oldest?.onSettled();
      log.warn({ subscription, id: oldest?.event.id }, "too many events wait, the oldest dropped");
    }
    waiting.push(one);
    pump();
  }

  void validate().catch(() => undefined);
  return {
    send: (event, onSettled = () => undefined, since = Date.now()) =>
      enqueue({ event, attempt: 0, knocks: 0, since, onSettled }),
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
