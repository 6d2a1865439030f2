// What the app's functions hang on: which of them this host serves, by what, and under which paths.
import type { AdminFunction } from "./admin-api.ts";
import { createAdminApi } from "./admin-api.ts";
import type { Extension, FunctionMetadata, HostKeys, HostLog } from "./contract.ts";
import { applyCors } from "./cors.ts";
import { createEventGridTrigger, toRequest as toEventGridRequest } from "./event-grid-trigger.ts";
import type { RequestHandler } from "./host-server.ts";
import type { HostSettings } from "./host-settings.ts";
import { createHttpTrigger } from "./http-trigger.ts";
import { createRouteTable } from "./route-table.ts";
import type { ScheduleMonitor } from "./schedule-monitor.ts";
import { createScheduleMonitor } from "./schedule-monitor.ts";
import { selectFunctions, triggerOf } from "./select-functions.ts";
import type { TimerTrigger } from "./timer-trigger.ts";
import { createTimerTrigger } from "./timer-trigger.ts";
import type { HostWorker } from "./worker.ts";

interface TriggersContext {
  readonly worker: HostWorker;
  /** The functions that no setting disables. */
  readonly enabled: readonly FunctionMetadata[];
  readonly extension: Extension | undefined;
  readonly settings: HostSettings;
  readonly keys: HostKeys;
  /** Made when the first timer needs it. */
  readonly scheduleFile: string;
  readonly responseTimeoutMs: number;
  readonly log: HostLog;
}

export interface Triggers {
  /** How many functions are served. */
  readonly count: number;
  readonly handle: RequestHandler;
  readonly start: () => void;
  /** No timer starts a run from here on. */
  readonly stop: () => void;
  /** When nothing runs any more. */
  readonly close: () => void;
}

/** A function that cannot be served is logged as an error, told by the host's status, and left out. */
export async function createTriggers(context: TriggersContext): Promise<Triggers> {
  const { worker, extension, settings, keys, log } = context;
  const { bodyLimitBytes } = settings;
  const { supported, refused } = selectFunctions(context.enabled, extension);
  const routes = createRouteTable(supported, settings.routePrefix);
  const { timers, unusable, close: closeTimers } = await createTimers(supported, context);
  const inError = [...refused, ...routes.refused, ...unusable];
  const errors = inError.map(({ functionName, reason }) => `The '${functionName}' function is in error: ${reason}`);
  for (const error of errors) log("error", "Host.Startup", error);
  for (const warning of [...routes.warnings, ...uselessRetries(supported)]) log("warning", "Host.Startup", warning);

  const { responseTimeoutMs } = context;
  const http = createHttpTrigger({ worker, routes, keys, bodyLimitBytes, responseTimeoutMs, log });
  const eventGridFunctions = supported.filter((each) => triggerOf(each) === "eventgridtrigger");
  const handleEventGrid = createEventGridTrigger({ worker, functions: eventGridFunctions, keys, bodyLimitBytes, log });
  const served = worker.functions.filter(({ name }) => inError.every(({ functionName }) => functionName !== name));
  const adminFunctions = served.map((metadata) => toAdminFunction(metadata, settings, timers));
  const handleAdmin = createAdminApi({ worker, functions: adminFunctions, keys, errors });

  return {
    count: context.enabled.length - inError.length,
    async handle(request, response, url) {
      if (applyCors(settings.cors, request, response)) return;
      const path = url.pathname.toLowerCase();
      if (extension !== undefined && `${path}/`.startsWith("/runtime/webhooks/durabletask/")) {
        await extension.handleWebhook(request, response, url);
      } else if (path === "/runtime/webhooks/eventgrid") {
        await handleEventGrid(request, response, url);
      } else if (path.startsWith("/admin/")) {
        await handleAdmin(request, response, url);
      } else {
        await http.handle(request, response, url);
      }
    },
    start() {
      for (const timer of timers.values()) timer.start();
    },
    stop() {
      for (const timer of timers.values()) timer.stop();
    },
    close() {
      http.close();
      closeTimers();
    },
  };
}

async function createTimers(functions: readonly FunctionMetadata[], context: TriggersContext) {
  const { worker, settings, log } = context;
  const timers = new Map<string, TimerTrigger>();
  const unusable: { functionName: string; reason: string }[] = [];
  let monitor: ScheduleMonitor | undefined;
  for (const metadata of functions.filter((each) => triggerOf(each) === "timertrigger")) {
    monitor ??= createScheduleMonitor(context.scheduleFile);
    const { timeZone, resolve } = settings;
    try {
      timers.set(metadata.name, await createTimerTrigger(metadata, { worker, monitor, log, timeZone, resolve }));
    } catch (error) {
      unusable.push({ functionName: metadata.name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { timers, unusable, close: () => monitor?.close() };
}

function uselessRetries(functions: readonly FunctionMetadata[]): string[] {
  return functions
    .filter((metadata) => metadata.retryOptions !== undefined && triggerOf(metadata) !== "timertrigger")
    .map(({ name }) => `The retry option of ${name} has no effect: the host retries no trigger of that kind.`);
}

function toAdminFunction(
  metadata: FunctionMetadata,
  settings: HostSettings,
  timers: ReadonlyMap<string, TimerTrigger>,
): AdminFunction {
  const { name } = metadata;
  const common = { metadata, isDisabled: settings.isDisabled(name) };
  const timer = timers.get(name);
  switch (triggerOf(metadata)) {
    case "timertrigger":
      if (timer === undefined) return common;
      return { ...common, toRequest: () => ({ functionName: name, trigger: timer.manualData() }) };
    case "eventgridtrigger":
      return { ...common, toRequest: (input) => toEventGridRequest(name, JSON.parse(input)) };
    case "activitytrigger":
      return { ...common, toRequest: (input) => ({ functionName: name, trigger: { string: input } }) };
    case undefined:
    default:
      return common;
  }
}
