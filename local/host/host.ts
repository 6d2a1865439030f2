// The embedded Functions host: one app, one process, one loopback address.
import { join } from "node:path";
import type { AdminFunction } from "./admin-api.ts";
import { createAdminApi } from "./admin-api.ts";
import type { Extension, FunctionMetadata, HostKeys, HostLog, Worker } from "./contract.ts";
import { applyCors } from "./cors.ts";
import { createEventGridTrigger, toRequest as toEventGridRequest } from "./event-grid-trigger.ts";
import { ensureHostKeys } from "./host-keys.ts";
import { filterLog } from "./host-log.ts";
import type { HostServer, RequestHandler } from "./host-server.ts";
import { listenOnLoopback } from "./host-server.ts";
import type { HostSettings } from "./host-settings.ts";
import { readHostSettings } from "./host-settings.ts";
import { createHttpTrigger } from "./http-trigger.ts";
import { createRouteTable } from "./route-table.ts";
import type { ScheduleMonitor } from "./schedule-monitor.ts";
import { createScheduleMonitor } from "./schedule-monitor.ts";
import { selectFunctions, triggerOf } from "./select-functions.ts";
import type { TimerTrigger } from "./timer-trigger.ts";
import { createTimerTrigger } from "./timer-trigger.ts";
import type { HostWorker } from "./worker.ts";
import { createWorker } from "./worker.ts";

export interface ExtensionContext {
  readonly worker: Worker;
  readonly stateFile: string;
  readonly hubName: string;
  /** `extensions.durableTask` of host.json. */
  readonly options: Record<string, unknown>;
  /** `http://localhost:<port>` */
  readonly publicUrl: () => string;
  readonly keys: HostKeys;
  readonly log: HostLog;
}

export interface HostOptions {
  readonly appRoot: string;
  /** Relative to `appRoot`; by default `main` of its package.json. */
  readonly entry?: string;
  /** Keys, schedules and durable state live here. */
  readonly stateFolder: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly durable?: (context: ExtensionContext) => Extension;
  readonly log: HostLog;
  /** How long a stop waits for running invocations. */
  readonly graceMs?: number;
  /** How long a caller waits for an answer to begin; the cloud's front end allows about 230 s. */
  readonly responseTimeoutMs?: number;
}

export interface Host {
  readonly url: string;
  readonly keys: HostKeys;
  stop(): Promise<void>;
}

const defaultGraceMs = 5_000;
const defaultResponseTimeoutMs = 230_000;

/**
 * Starts the host and resolves when it serves. Sets the environment the app expects from a host (`process.env`).
 * @throws when the settings, the port or the app are not usable; a function in error is logged and left out
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const settings = readHostSettings(options.appRoot, process.env);
  const log = filterLog(options.log, settings.logLevels);
  const keys = ensureHostKeys(options.stateFolder);
  const server = await listenOnLoopback(options.port, log);
  const url = `http://localhost:${server.port}`;
  process.env["WEBSITE_HOSTNAME"] = `localhost:${server.port}`;
  process.env["FUNCTIONS_WORKER_RUNTIME"] = "node";
  process.env["AZURE_FUNCTIONS_ENVIRONMENT"] ??= "Development";
  try {
    const late: { extension?: Extension | undefined } = {};
    const worker = await createWorker({
      appRoot: options.appRoot,
      ...(options.entry === undefined ? {} : { entry: options.entry }),
      ...(settings.functionTimeoutMs === undefined ? {} : { functionTimeoutMs: settings.functionTimeoutMs }),
      log,
      // The extension drives the worker and the worker asks the extension: it exists by the first invocation.
      inputBinding: (binding) => late.extension?.inputBinding(binding),
    });
    const enabled = worker.functions.filter(({ name }) => !settings.isDisabled(name));
    const extension = options.durable?.({
      worker: { functions: enabled, invoke: (request) => worker.invoke(request) },
      stateFile: join(options.stateFolder, "durable.sqlite"),
      hubName: settings.hubName,
      options: settings.durableTask,
      publicUrl: () => url,
      keys,
      log,
    });
    late.extension = extension;
    const parts = await createParts({
      stateFolder: options.stateFolder,
      responseTimeoutMs: options.responseTimeoutMs ?? defaultResponseTimeoutMs,
      settings,
      log,
      keys,
      server,
      worker,
      enabled,
      extension,
    });
    await extension?.start();
    for (const timer of parts.timers.values()) timer.start();
    server.serve(parts.handle);
    log("information", "Host.Startup", `${parts.count} functions at ${url}`);
    let stopped: Promise<void> | undefined;
    return {
      url,
      keys,
      stop: () =>
        (stopped ??= stop({
          server,
          worker,
          extension,
          parts,
          log,
          graceMs: options.graceMs ?? defaultGraceMs,
        })),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

interface Parts {
  readonly count: number;
  readonly timers: ReadonlyMap<string, TimerTrigger>;
  readonly handle: RequestHandler;
  readonly close: () => void;
}

interface PartsContext {
  readonly responseTimeoutMs: number;
  readonly stateFolder: string;
  readonly settings: HostSettings;
  readonly log: HostLog;
  readonly keys: HostKeys;
  readonly server: HostServer;
  readonly worker: HostWorker;
  readonly enabled: readonly FunctionMetadata[];
  readonly extension: Extension | undefined;
}

async function createParts(context: PartsContext): Promise<Parts> {
  const { settings, log, keys, worker, extension } = context;
  const { supported, refused } = selectFunctions(context.enabled, extension);
  const errors = refused.map(({ functionName, reason }) => `The '${functionName}' function is in error: ${reason}.`);

  const routes = createRouteTable(supported, settings.routePrefix);
  errors.push(
    ...routes.refused.map(({ functionName, reason }) => `The '${functionName}' function is in error: ${reason}.`),
  );
  for (const warning of routes.warnings) log("warning", "Host.Startup", warning);

  for (const { name } of supported.filter(
    (each) => each.retryOptions !== undefined && triggerOf(each) !== "timertrigger",
  )) {
    log(
      "warning",
      "Host.Startup",
      `The retry option of ${name} has no effect: the host retries no trigger of that kind.`,
    );
  }

  const timers = new Map<string, TimerTrigger>();
  let monitor: ScheduleMonitor | undefined;
  for (const metadata of supported.filter((each) => triggerOf(each) === "timertrigger")) {
    monitor ??= createScheduleMonitor(join(context.stateFolder, "schedules.sqlite"));
    try {
      const options = {
        worker,
        monitor,
        log,
        timeZone: settings.timeZone,
        resolve: settings.resolve,
      };
      timers.set(metadata.name, await createTimerTrigger(metadata, options));
    } catch (error) {
      errors.push(
        `The '${metadata.name}' function is in error: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  for (const error of errors) log("error", "Host.Startup", error);

  const { bodyLimitBytes } = settings;
  const http = createHttpTrigger({
    worker,
    routes,
    keys,
    bodyLimitBytes,
    responseTimeoutMs: context.responseTimeoutMs,
    log,
  });
  const eventGridFunctions = supported.filter((each) => triggerOf(each) === "eventgridtrigger");
  const handleEventGrid = createEventGridTrigger({
    worker,
    functions: eventGridFunctions,
    keys,
    bodyLimitBytes,
    log,
  });
  const handleAdmin = createAdminApi({
    worker,
    functions: worker.functions.map((metadata) => toAdminFunction(metadata, settings, timers)),
    keys,
    errors,
  });

  return {
    count: context.enabled.length - errors.length,
    timers,
    async handle(request, response, url) {
      if (applyCors(settings.cors, request, response)) return;
      const path = url.pathname.toLowerCase();
      if (extension !== undefined && `${path}/`.startsWith("/runtime/webhooks/durabletask/"))
        await extension.handleWebhook(request, response, url);
      else if (path === "/runtime/webhooks/eventgrid") await handleEventGrid(request, response, url);
      else if (path.startsWith("/admin/")) await handleAdmin(request, response, url);
      else await http.handle(request, response, url);
    },
    close() {
      http.close();
      monitor?.close();
    },
  };
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
      return timer === undefined
        ? common
        : { ...common, toRequest: () => ({ functionName: name, trigger: timer.manualData() }) };
    case "eventgridtrigger":
      return { ...common, toRequest: (input) => toEventGridRequest(name, JSON.parse(input)) };
    case "activitytrigger":
      return {
        ...common,
        toRequest: (input) => ({ functionName: name, trigger: { string: input } }),
      };
    case undefined:
    default:
      return common;
  }
}

interface StopContext {
  readonly server: HostServer;
  readonly worker: HostWorker;
  readonly extension: Extension | undefined;
  readonly parts: Parts;
  readonly log: HostLog;
  readonly graceMs: number;
}

async function stop({ server, worker, extension, parts, log, graceMs }: StopContext): Promise<void> {
  server.drain();
  for (const timer of parts.timers.values()) timer.stop();
  const [left] = await Promise.all([worker.drain(graceMs), extension?.stop(graceMs)]);
  if (left > 0)
    log(
      "warning",
      "Host.Shutdown",
      `${left} invocations were still running after ${graceMs / 1000} s and are left behind.`,
    );
  await worker
    .terminate()
    .catch((error: unknown) => log("error", "Host.Shutdown", `An appTerminate hook failed: ${String(error)}`));
  parts.close();
  await server.close();
}
