// Azure ML's run events, delivered the way Event Grid delivers: handshake first, at least once, in no particular order.
// https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultPlan } from "./faults.ts";
import type { JobRecord } from "./job-store.ts";
import type { Store } from "./store.ts";
import type { Log } from "./workspace-context.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

export interface RunEventsOptions {
  readonly scope: WorkspaceScope;
  readonly store: Store;
  /** URLs to deliver to; they may carry keys and are never logged with their query. */
  readonly endpoints: readonly string[];
  readonly faults: FaultPlan;
  readonly log: Log;
  /** Waits between the tries of one delivery; the last one repeats. */
  readonly retryDelaysMs?: readonly number[];
}

export interface RunEvents {
  /** Writes the event of an ended job to the outbox, in the caller's transaction; a canceled job has none. */
  jobEnded(job: JobRecord): void;
  /** Delivers what the outbox holds. */
  flush(): void;
  stop(): void;
}

const answerTimeoutMs = 30_000;
const maxAttempts = 30;
const serviceRetryDelaysMs = [10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];
const handshakeDelaysMs = [100, 200, 400, 800, 1600, 3200];

function toEvent(scope: WorkspaceScope, job: JobRecord): unknown {
  const isCompleted = job.status === "Completed";
  return {
    topic: scope.path,
    subject: `experiments/${job.experimentId}/runs/${job.name}`,
    eventType: `Microsoft.MachineLearningServices.${isCompleted ? "RunCompleted" : "RunStatusChanged"}`,
    eventTime: new Date().toISOString(),
    id: randomUUID(),
    data: {
      experimentId: job.experimentId,
      experimentName: job.properties.experimentName,
      runId: job.name,
      runType: null,
      runTags: job.properties.tags,
      runProperties: job.properties.properties,
      ...(isCompleted ? {} : { runStatus: "failed" }),
    },
    dataVersion: "1.0",
    metadataVersion: "1",
  };
}

function at<T>(items: readonly T[], index: number): T | undefined {
  return items[Math.min(index, items.length - 1)];
}

export function createRunEvents(options: RunEventsOptions): RunEvents {
  const { scope, store, endpoints, faults, log, retryDelaysMs = serviceRetryDelaysMs } = options;
  const stopping = new AbortController();
  const inFlight = new Set<number>();
  const place = (endpoint: string) => endpoint.replace(/\?.*$/s, "");

  const post = (endpoint: string, kind: string, body: string, attempts: number): Promise<Response> =>
    fetch(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        "aeg-event-type": kind,
        "aeg-subscription-name": "MLPIPE-RUNS",
        "aeg-delivery-count": String(attempts),
        "aeg-data-version": "1.0",
        "aeg-metadata-version": "1",
      },
      body,
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(answerTimeoutMs)]),
    });

  const shakeHands = async (endpoint: string): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      const validationCode = randomUUID();
      const event = {
        id: randomUUID(),
        topic: scope.path,
        subject: "",
        data: { validationCode },
        eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
        eventTime: new Date().toISOString(),
        metadataVersion: "1",
        dataVersion: "2",
      };
      try {
        const response = await post(endpoint, "SubscriptionValidation", JSON.stringify([event]), attempt);
        const answer: unknown = response.status === 200 ? await response.json() : undefined;
        if (
          typeof answer === "object" &&
          answer !== null &&
          "validationResponse" in answer &&
          answer.validationResponse === validationCode
        )
          return;
        log(
          "debug",
          { endpoint: place(endpoint), status: response.status },
          "event endpoint did not take the handshake",
        );
      } catch (error) {
        if (stopping.signal.aborted) throw error;
      }
      await sleep(at(handshakeDelaysMs, attempt), undefined, { signal: stopping.signal });
    }
  };
  const validated = endpoints.map((endpoint) => {
    const handshake = shakeHands(endpoint);
    handshake.catch(() => undefined);
    return handshake;
  });

  const deliver = async (row: { id: number; endpoint: number; body: string; attempts: number }): Promise<void> => {
    const endpoint = endpoints[row.endpoint];
    if (endpoint === undefined) {
      store.run("DELETE FROM outbox WHERE id = ?", row.id);
      return;
    }
    await validated[row.endpoint];
    const { copies, delayMs } = faults.forEvent();
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: stopping.signal });
    for (let attempt = row.attempts; copies > 0 && attempt < maxAttempts; attempt += 1) {
      const isTaken = await Promise.all(
        Array.from({ length: copies }, () => post(endpoint, "Notification", row.body, attempt)),
      )
        .then((responses) => responses.every((response) => response.status >= 200 && response.status <= 204))
        .catch(() => false);
      if (stopping.signal.aborted) return;
      if (isTaken) break;
      store.run("UPDATE outbox SET attempts = ? WHERE id = ?", attempt + 1, row.id);
      log("warn", { endpoint: place(endpoint), attempt: attempt + 1 }, "run event was not taken");
      await sleep(at(retryDelaysMs, attempt), undefined, { signal: stopping.signal });
    }
    store.run("DELETE FROM outbox WHERE id = ?", row.id);
  };

  return {
    jobEnded(job) {
      if (job.status === "Canceled") return;
      const body = JSON.stringify([toEvent(scope, job)]);
      for (const index of endpoints.keys()) store.run("INSERT INTO outbox (endpoint, body) VALUES (?, ?)", index, body);
    },
    flush() {
      const rows = store.all<{ id: number; endpoint: number; body: string; attempts: number }>(
        "SELECT * FROM outbox ORDER BY id",
      );
      for (const row of rows) {
        if (inFlight.has(row.id)) continue;
        inFlight.add(row.id);
        deliver(row)
          .catch((error: unknown) => {
            if (!stopping.signal.aborted) log("error", { error }, "run event was dropped");
          })
          .finally(() => inFlight.delete(row.id));
      }
    },
    stop() {
      stopping.abort();
    },
  };
}
