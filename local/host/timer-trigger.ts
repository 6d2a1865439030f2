// Timer triggers: one run at a time per function, the next due time counted from the end of the run.
import type { FunctionMetadata, HostLog, TypedData, Worker } from "./contract.ts";
import { parseSchedule } from "./ncrontab.ts";
import type { RetryOptions } from "./retry.ts";
import { invokeWithRetry } from "./retry.ts";
import type { ScheduleMonitor, ScheduleStatus } from "./schedule-monitor.ts";

export interface TimerTriggerOptions {
  readonly worker: Worker;
  readonly monitor: ScheduleMonitor;
  readonly log: HostLog;
  /** IANA name; UTC on Azure unless WEBSITE_TIME_ZONE says otherwise. */
  readonly timeZone: string;
  /** Replaces `%SETTING%` in the schedule. */
  readonly resolve: (text: string) => string;
}

export interface TimerTrigger {
  start(): void;
  /** Data of a run by hand. */
  manualData(): TypedData;
  /** No further run starts; one in hand goes on. */
  stop(): void;
}

/** Waiting is cut into hops: a sleeping machine and a corrected clock both move the due time under a long timeout. */
const longestWaitMs = 60_000;
const neverRun = "0001-01-01T00:00:00+00:00";

/** @throws when the schedule cannot be parsed */
export async function createTimerTrigger(
  metadata: FunctionMetadata,
  options: TimerTriggerOptions,
): Promise<TimerTrigger> {
  const { name } = metadata;
  const { worker, monitor, log, timeZone } = options;
  const binding = Object.values(metadata.bindings).find(({ type }) => type.toLowerCase() === "timertrigger") ?? {};
  const {
    schedule: written,
    useMonitor,
    runOnStartup,
  } = binding as { schedule?: unknown; useMonitor?: boolean; runOnStartup?: boolean };
  if (typeof written !== "string") throw new Error("its timer has no schedule");
  const text = options.resolve(written);
  const schedule = await parseSchedule(text, timeZone);
  if (schedule.isTimeSpan)
    log(
      "warning",
      category,
      `The schedule "${text}" of ${name} is a TimeSpan: on Azure that needs an App Service plan.`,
    );
  const isMonitored = useMonitor !== false && !schedule.isWithinMinute;
  const retry = metadata.retryOptions as RetryOptions | undefined;
  const stopping = new AbortController();
  let waiting: NodeJS.Timeout | undefined;

  function storedStatus(): ScheduleStatus | undefined {
    return isMonitored ? monitor.get(name) : undefined;
  }

  function record(last: Date | undefined, next: Date): void {
    if (isMonitored) monitor.set(name, { schedule: text, last, next, lastUpdated: new Date() });
  }

  async function run(isPastDue: boolean): Promise<void> {
    const started = new Date();
    const trigger = toTimerData(storedStatus(), isPastDue, isMonitored, timeZone);
    try {
      await invokeWithRetry(worker, { functionName: name, trigger }, retry, stopping.signal);
    } catch {
      // The worker has logged it, and a failure never ends a schedule.
    }
    const next = schedule.next(new Date());
    if (next !== undefined) record(started, next);
    if (!stopping.signal.aborted) waitFor(next);
  }

  function waitFor(due: Date | undefined): void {
    if (due === undefined) {
      log("warning", category, `The schedule "${text}" of ${name} never comes round again.`);
      return;
    }
    const remaining = due.getTime() - Date.now();
    waiting = setTimeout(
      () => (due.getTime() <= Date.now() ? void run(false) : waitFor(due)),
      Math.min(Math.max(remaining, 0), longestWaitMs),
    );
  }

  return {
    start() {
      const now = new Date();
      const stored = storedStatus();
      if (stored?.schedule === text && stored.next <= now) {
        void run(true);
        return;
      }
      const next = stored?.schedule === text ? stored.next : schedule.next(now);
      if (stored?.schedule !== text && next !== undefined) record(undefined, next);
      if (runOnStartup === true) void run(false);
      else waitFor(next);
    },
    manualData: () => toTimerData(storedStatus(), false, isMonitored, timeZone),
    stop() {
      stopping.abort();
      clearTimeout(waiting);
    },
  };
}

const category = "Host.Triggers.Timer";

/** In .NET's spelling; the library lowers the first letters. */
function toTimerData(
  status: ScheduleStatus | undefined,
  isPastDue: boolean,
  isMonitored: boolean,
  timeZone: string,
): TypedData {
  const scheduleStatus =
    isMonitored && status !== undefined
      ? {
          Last: status.last === undefined ? neverRun : toIsoWithOffset(status.last, timeZone),
          Next: toIsoWithOffset(status.next, timeZone),
          LastUpdated: toIsoWithOffset(status.lastUpdated, timeZone),
        }
      : null;
  return {
    json: JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: scheduleStatus,
      IsPastDue: isPastDue,
    }),
  };
}

function toIsoWithOffset(date: Date, timeZone: string): string {
  const zone = new Intl.DateTimeFormat("en", {
    timeZone,
    timeZoneName: "longOffset",
  }).formatToParts(date);
  const offset = zone.find((part) => part.type === "timeZoneName")?.value.slice("GMT".length) || "+00:00";
  const [hours = 0, minutes = 0] = offset.slice(1).split(":").map(Number);
  const shiftMs = (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  return new Date(date.getTime() + shiftMs).toISOString().replace("Z", offset);
}
