// The embedded Functions host: one app, one process, one loopback address.
import { join } from "node:path";
import type { Extension, HostKeys, HostLog, Worker } from "./contract.ts";
import { ensureHostKeys } from "./host-keys.ts";
import { filterLog } from "./host-log.ts";
import type { HostServer } from "./host-server.ts";
import { listenOnLoopback } from "./host-server.ts";
import { readHostSettings } from "./host-settings.ts";
import type { Triggers } from "./triggers.ts";
import { createTriggers } from "./triggers.ts";
import type { HostWorker } from "./worker.ts";
import { createWorker } from "./worker.ts";

interface ExtensionContext {
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
    const triggers = await createTriggers({
      worker,
      enabled,
      extension,
      settings,
      keys,
      scheduleFile: join(options.stateFolder, "schedules.sqlite"),
      responseTimeoutMs: options.responseTimeoutMs ?? defaultResponseTimeoutMs,
      log,
    });
    await extension?.start();
    triggers.start();
    server.serve(triggers.handle);
    log("information", "Host.Startup", `${triggers.count} functions at ${url}`);
    let stopped: Promise<void> | undefined;
    return {
      url,
      keys,
      stop: () =>
        (stopped ??= stop({
          server,
          worker,
          extension,
          triggers,
          log,
          graceMs: options.graceMs ?? defaultGraceMs,
        })),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

interface StopContext {
  readonly server: HostServer;
  readonly worker: HostWorker;
  readonly extension: Extension | undefined;
  readonly triggers: Triggers;
  readonly log: HostLog;
  readonly graceMs: number;
}

async function stop({ server, worker, extension, triggers, log, graceMs }: StopContext): Promise<void> {
  server.drain();
  triggers.stop();
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
  triggers.close();
  await server.close();
}
