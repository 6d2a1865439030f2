// How the workspace's client behaves towards a service that is busy or down: it tries again a little, obeys `Retry-After`, and
// stops asking while nobody answers. The official client's own retry waits for any `Retry-After` inside the call (an activity may
// last five minutes), and lets every caller knock at a dead door by itself.
import { setTimeout as wait } from "node:timers/promises";
// By name, not by class: the client brings its own CommonJS copy of this package.
import { isRestError, type PipelinePolicy, type PipelineResponse } from "@azure/core-rest-pipeline";
import { MlpipeError } from "../errors.ts";
import { withoutSecrets } from "../log.ts";

export interface PatienceOptions {
  /** Milliseconds; the wall clock when absent. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Waits up to this happen inside a call; for a longer one the caller is told to come back. */
const longestWaitMs = 5_000;
/** Clocks round, and a request that comes a millisecond too early is too early. */
const slackMs = 20;
const maxTries = 4;
const firstPauseMs = 500;
/** Failures in a row after which one caller at a time finds out whether the service is back. */
const outageFailures = 3;
const longestOutagePauseMs = 30_000;

type Verdict =
  | { readonly kind: "fine" }
  | { readonly kind: "later"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "trouble"; readonly reason: string };

/**
 * A pipeline policy in place of the client's own retry.
 *
 * @throws MlpipeError `Unavailable`, with `retryAfterSeconds` where a time is known, when the service stays busy or down
 */
export function createPatience({ now = Date.now, sleep = wait }: PatienceOptions = {}): PipelinePolicy {
  // Azure Resource Manager counts reads and writes of one caller apart.
  const gates = { reads: createGate(now), writes: createGate(now) };
  return {
    name: "patience",
    async sendRequest(request, next) {
      const gate = request.method === "GET" ? gates.reads : gates.writes;
      for (let tries = 1; ; tries += 1) {
        await enter(gate, sleep);
        const result = await attempt(() => next(request), gate, now);
        if ("response" in result) return result.response;
        const { verdict } = result;
        if (tries === maxTries || (verdict.kind === "later" && verdict.afterMs > longestWaitMs)) {
          throw unavailable(verdict.reason, verdict.kind === "later" ? verdict.afterMs : undefined);
        }
        // A time that the service has set is waited for at the gate, by everybody.
        if (verdict.kind === "trouble") await sleep(firstPauseMs * 2 ** (tries - 1));
      }
    },
  };
}

type Gate = ReturnType<typeof createGate>;

function createGate(now: () => number) {
  let closedUntil = 0;
  let failures = 0;
  let isProbing = false;
  let reason = "";
  return {
    /** Milliseconds to wait before knocking; 0 lets the caller in, and then it has to `tell`. */
    ask(): number {
      const left = closedUntil - now();
      if (left > 0) return left;
      if (failures < outageFailures) return 0;
      if (isProbing) return firstPauseMs;
      isProbing = true;
      return 0;
    },
    reason: () => reason,
    tell(verdict: Verdict): void {
      isProbing = false;
      if (verdict.kind === "fine") {
        failures = 0;
        return;
      }
      ({ reason } = verdict);
      if (verdict.kind === "later") {
        closedUntil = Math.max(closedUntil, now() + verdict.afterMs + slackMs);
        return;
      }
      failures += 1;
      if (failures < outageFailures) return;
      const pauseMs = Math.min(longestOutagePauseMs, firstPauseMs * 2 ** (failures - outageFailures));
      closedUntil = Math.max(closedUntil, now() + pauseMs);
    },
  };
}

async function enter(gate: Gate, sleep: (ms: number) => Promise<unknown>): Promise<void> {
  let waitedMs = 0;
  for (let waitMs = gate.ask(); waitMs > 0; waitMs = gate.ask()) {
    if (waitedMs + waitMs > longestWaitMs + slackMs) throw unavailable(gate.reason(), waitMs);
    await sleep(waitMs);
    waitedMs += waitMs;
  }
}

async function attempt(
  send: () => Promise<PipelineResponse>,
  gate: Gate,
  now: () => number,
): Promise<{ response: PipelineResponse } | { verdict: Exclude<Verdict, { kind: "fine" }> }> {
  try {
    const response = await send();
    const verdict = judge(response, now);
    gate.tell(verdict);
    return verdict.kind === "fine" ? { response } : { verdict };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === "AbortError";
    if (!isTimeout && !(isRestError(error) && error.statusCode === undefined)) {
      // Not the service's doing; whoever probes must leave the gate to others.
      gate.tell({ kind: "fine" });
      throw error;
    }
    const verdict = { kind: "trouble", reason: withoutSecrets(error.message) } as const;
    gate.tell(verdict);
    return { verdict };
  }
}

function judge(response: PipelineResponse, now: () => number): Verdict {
  const { status } = response;
  const isTrouble = status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
  if (!isTrouble) return { kind: "fine" };
  const reason = messageOf(response) ?? `it answered ${status}`;
  const afterMs = retryAfterMs(response, now);
  return afterMs === undefined ? { kind: "trouble", reason } : { kind: "later", afterMs, reason };
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after, and the two headers of Azure's own in milliseconds. */
function retryAfterMs({ headers }: PipelineResponse, now: () => number): number | undefined {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const ms = Number(headers.get(name) ?? Number.NaN);
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const text = headers.get("retry-after");
  if (text === undefined) return undefined;
  const ms = Number.isFinite(Number(text)) ? Number(text) * 1000 : Date.parse(text) - now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function messageOf({ bodyAsText }: PipelineResponse): string | undefined {
  try {
    const body = JSON.parse(bodyAsText ?? "") as { error?: { message?: unknown } };
    return typeof body.error?.message === "string" ? withoutSecrets(body.error.message) : undefined;
  } catch {
    return undefined;
  }
}

function unavailable(reason: string, afterMs: number | undefined): MlpipeError {
  const told = afterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(afterMs / 1000) };
  return new MlpipeError("Unavailable", `Azure ML is not answering: ${reason}`, told);
}
