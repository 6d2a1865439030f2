// What host.json may say under `extensions.durableTask`, and the switches that make this host harsher than the cloud.
import { availableParallelism } from "node:os";

/** Test switches, under `embedded`. All are off unless set. */
export interface EmbeddedSwitches {
  /** Runs every episode twice and fails the instance when the two action lists differ in anything. */
  readonly replayTwice?: boolean;
  /** Milliseconds; timers above it are split into hops. The cloud's is 6 days. */
  readonly maximumShortTimer?: number;
  /** Milliseconds of one hop of a split timer. The cloud's is 3 days. */
  readonly longRunningTimerInterval?: number;
  /** Every activity runs twice, as after a crash between its end and the commit of its result. */
  readonly duplicateActivityDelivery?: boolean;
  /** Every episode sends its messages, loses its own commit and is repeated: activities and children may start twice. */
  readonly rollbackAfterSend?: boolean;
  /** Seed; the messages of a batch reach an orchestration in random order, its start excepted. */
  readonly shuffleEvents?: number;
  /** Kills this process at the n-th durable write of its life (1-based). */
  readonly crashAt?: number;
  /** Whether `crashAt` strikes before the write is committed or after (default). */
  readonly crashWhen?: "before" | "after";
  /** Bytes; a longer input, output or event fails what carries it. Default 4 MiB. */
  readonly maximumPayload?: number;
}

export interface DurableOptions {
  readonly maxConcurrentActivityFunctions: number;
  readonly maxConcurrentOrchestratorFunctions: number;
  readonly maxEntityOperationBatchSize: number;
  /** Milliseconds between two polls of an asynchronous `callHttp` whose answer names no delay. */
  readonly httpSleepMs: number;
  readonly maximumShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly maximumPayloadBytes: number;
  readonly switches: EmbeddedSwitches;
}

const day = 24 * 3600 * 1000;

/**
 * Reads the settings, with the cloud's defaults.
 * @param raw `extensions.durableTask` of host.json plus `embedded`.
 * @throws TypeError naming the key whose value is of the wrong kind.
 */
export function parseDurableOptions(raw: Readonly<Record<string, unknown>>): DurableOptions {
  const httpSettings = record(raw, "httpSettings");
  const embedded = record(raw, "embedded");
  const perCore = 10 * availableParallelism();
  const switches: EmbeddedSwitches = {
    ...flag(embedded, "replayTwice"),
    ...flag(embedded, "duplicateActivityDelivery"),
    ...flag(embedded, "rollbackAfterSend"),
    ...(embedded["shuffleEvents"] === undefined ? {} : { shuffleEvents: integer(embedded, "shuffleEvents", 0) }),
    ...(embedded["crashAt"] === undefined ? {} : { crashAt: integer(embedded, "crashAt", 0) }),
    ...(embedded["crashWhen"] === "before" ? { crashWhen: "before" } : {}),
  };
  return {
    maxConcurrentActivityFunctions: integer(raw, "maxConcurrentActivityFunctions", perCore),
    maxConcurrentOrchestratorFunctions: integer(raw, "maxConcurrentOrchestratorFunctions", perCore),
    maxEntityOperationBatchSize: integer(raw, "maxEntityOperationBatchSize", 50),
    httpSleepMs: integer(httpSettings, "defaultAsyncRequestSleepTimeMilliseconds", 30_000),
    maximumShortTimerMs: integer(embedded, "maximumShortTimer", 6 * day),
    longTimerIntervalMs: integer(embedded, "longRunningTimerInterval", 3 * day),
    maximumPayloadBytes: integer(embedded, "maximumPayload", 4 * 1024 * 1024),
    switches,
  };
}

/** A .NET TimeSpan, `d.hh:mm:ss.fffffff`, the form in which the library reads durations. */
export function toTimeSpan(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => pad(part))
    .join(":");
  return `${Math.floor(seconds / 86_400)}.${clock}.${pad(milliseconds % 1000, 3)}0000`;
}

function record(raw: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  const value = raw[key] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw new TypeError(`durableTask.${key} must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

function integer(raw: Readonly<Record<string, unknown>>, key: string, fallback: number): number {
  const value = raw[key] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new TypeError(`durableTask: ${key} must be a whole number, not ${JSON.stringify(value)}`);
  }
  return value;
}

function flag(
  raw: Readonly<Record<string, unknown>>,
  key: "replayTwice" | "duplicateActivityDelivery" | "rollbackAfterSend",
) {
  const value = raw[key] ?? false;
  if (typeof value !== "boolean")
    throw new TypeError(`durableTask: ${key} must be true or false, not ${JSON.stringify(value)}`);
  return value ? { [key]: true } : {};
}
