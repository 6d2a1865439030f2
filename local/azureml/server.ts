// The workspace as one thing: store, lifecycle and doors put together, opened and closed.
import http from "node:http";
import https from "node:https";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino, type Logger } from "pino";
import { MlpipeError } from "#shared/errors.ts";
import { loadCertificate } from "./certificate.ts";
import { createCommandKind } from "./command-kind.ts";
import { createCounters } from "./counters.ts";
import {
  artifactDatastore,
  createDatastoreResolver,
  defaultDatastore,
  presetDatastores,
  type BlobAccount,
} from "./datastores.ts";
import { createCatalog } from "./environments/catalog.ts";
import type { CreateExecutor, DatastoreResolver } from "./executor/contract.ts";
import { openOutbox } from "../event-outbox.ts";
import { createFaults, type Faults, type FaultsInput } from "./faults.ts";
import { createJobLifecycle } from "./job-lifecycle.ts";
import { createJobStore } from "./job-store.ts";
import { createListener } from "./listener.ts";
import { createArtifacts } from "./mlflow-artifacts.ts";
import { createTracking } from "./mlflow.ts";
import { createResourceStore } from "./resource-store.ts";
import { createMlflowGroup, createRouteGroups } from "./route-groups.ts";
import { createRouter } from "./router.ts";
import { createRunEvents } from "./run-events.ts";
import { createRunTokens } from "./run-token.ts";
import { createServiceEnvironment } from "./service-environment.ts";
import { openStore } from "./store.ts";
import type { Log } from "./workspace-context.ts";
import { createScope, type WorkspaceName } from "./workspace-scope.ts";

export interface WorkspaceOptions extends WorkspaceName {
  /** Holds the database, the certificate and the executor's records; one process at a time. */
  readonly stateFolder: string;
  /** Python environments; may be shared by several stacks. */
  readonly cacheFolder: string;
  /** 0 or absent: any free port. */
  readonly port?: number | undefined;
  /** Port of the plain-http tracking listener that jobs use. */
  readonly mlflowPort?: number | undefined;
  /** Bearer token of callers. */
  readonly token: string;
  readonly blob: BlobAccount;
  /** How long to wait for the blob server at the start; 10,000 when absent. */
  readonly blobPatienceMs?: number | undefined;
  /** Where Azure ML run events go. */
  readonly eventEndpoints?: readonly string[] | undefined;
  /** Multiplies the waits of Event Grid's retry schedule; 1 when absent. */
  readonly eventRetryScale?: number | undefined;
  /** Milliseconds between knocks at an event endpoint that is not there; the schedule's waits when absent. */
  readonly eventKnockMs?: number | undefined;
  /** Jobs in the executor at once; the machine's cores when absent. */
  readonly maxConcurrent?: number | undefined;
  /** The user's own word on what environments and images hold; see environments/catalog.ts. */
  readonly environmentsFile?: string | undefined;
  /** Jobs may name computes that do not exist; false when absent, as on the service. */
  readonly takesAnyCompute?: boolean | undefined;
  /** Whether a host exists; the system's resolver when absent. */
  readonly hasHost?: ((host: string) => Promise<boolean>) | undefined;
  readonly faults?: FaultsInput | undefined;
  /** For tests that want to see each status. */
  readonly statusDelayMs?: number | undefined;
  readonly createExecutor: CreateExecutor;
  readonly logger?: Logger | undefined;
}

export interface Workspace {
  /** https origin, no trailing slash. */
  readonly url: string;
  readonly caFile: string;
  /** http origin of the tracking listener, no trailing slash. */
  readonly mlflowUrl: string;
  /** Kills what runs, leaving it to be started over next time, and closes the doors. */
  stop(): Promise<void>;
}

const keepAliveMs = 65_000;
const [containerTryMs, containerPauseMs] = [2000, 200];

/** Opens a port at once and answers when `handler` is there: a caller that waited for the port is never left without an answer. */
async function listen(server: http.Server, port: number, handler: Promise<http.RequestListener>): Promise<number> {
  server.on("request", (message, response) => {
    handler.then(
      (handle) => handle(message, response),
      () => message.socket.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  return address.port;
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function ensureContainers(datastores: DatastoreResolver, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      for (const name of [defaultDatastore, artifactDatastore]) {
        await datastores.client(name).createIfNotExists({ abortSignal: AbortSignal.timeout(containerTryMs) });
      }
      return;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new MlpipeError("Unavailable", "The blob server does not answer, so the workspace cannot start.", {
          cause,
        });
      }
      await sleep(containerPauseMs);
    }
  }
}

/**
 * Opens the workspace on loopback and goes on with the jobs of its state folder.
 * @throws MlpipeError `Unavailable` when the blob server does not answer within some seconds.
 */
export async function startWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { stateFolder, cacheFolder, token, maxConcurrent = availableParallelism() } = options;
  const logger = options.logger ?? pino({ level: "silent" });
  const log: Log = (level, { error, ...fields }, text) =>
    logger[level](error === undefined ? fields : { ...fields, err: error }, text);
  const scope = createScope(options);
  const certificate = await loadCertificate(join(stateFolder, "certificate"));
  const store = openStore(stateFolder);
  const [jobs, resources, tracking] = [createJobStore(store), createResourceStore(store), createTracking(store)];
  const [runTokens, counters, faults] = [createRunTokens(store), createCounters(), createFaults(options.faults)];
  const datastores = createDatastoreResolver(resources, scope);
  presetDatastores(resources, scope, options.blob);

  const secure = https.createServer({ cert: certificate.cert, key: certificate.key, keepAliveTimeout: keepAliveMs });
  const plain = http.createServer({ keepAliveTimeout: keepAliveMs });
  const secureHandler = Promise.withResolvers<http.RequestListener>();
  const plainHandler = Promise.withResolvers<http.RequestListener>();
  try {
    await ensureContainers(datastores, options.blobPatienceMs ?? 10_000);
    const port = await listen(secure, options.port ?? 0, secureHandler.promise);
    const mlflowPort = await listen(plain, options.mlflowPort ?? 0, plainHandler.promise);
    const [url, mlflowUrl] = [`https://127.0.0.1:${port}`, `http://127.0.0.1:${mlflowPort}`];

    const executor = options.createExecutor({
      stateFolder: join(stateFolder, "executor"),
      cacheFolder,
      datastores,
      log,
      maxConcurrent,
    });
    const catalog = createCatalog(options.environmentsFile);
    const command = createCommandKind({
      catalog,
      hasHost: options.hasHost,
      takesAnyCompute: options.takesAnyCompute ?? false,
      scope,
      resources,
      jobs,
      datastores,
      executor,
      sizeRefusal: (instanceType) => faults.sizeRefusal(instanceType),
      jobFault: (jobName) => faults.forJob(jobName),
      simulation: () => faults.current().simulated,
      serviceEnvironment: ({ name: jobName, experimentId, properties: { experimentName } }) =>
        createServiceEnvironment({
          scope,
          url,
          mlflowUrl,
          jobName,
          experimentId,
          experimentName,
          runToken: runTokens.issue(jobName),
        }),
    });
    const kinds = { Command: command };
    const endpoints = options.eventEndpoints ?? [];
    const events = createRunEvents({
      scope,
      endpoints,
      faults: faults.current().events,
      log: logger,
      retryScale: options.eventRetryScale,
      knockMs: options.eventKnockMs,
      outbox: openOutbox(join(stateFolder, "events.sqlite")),
    });
    const replaceFaults = (next: Faults): Faults => {
      const replaced = faults.replace(next);
      events.setFaults(replaced.events);
      return replaced;
    };
    const { statusDelayMs = 0 } = options;
    const lifecycle = createJobLifecycle({ store, jobs, kinds, tracking, events, maxConcurrent, statusDelayMs, log });

    const mlflow = createMlflowGroup(
      tracking,
      createArtifacts(() => datastores.client(artifactDatastore)),
    );
    const context = {
      scope,
      host: `127.0.0.1:${port}`,
      store,
      jobs,
      resources,
      datastores,
      kinds,
      lifecycle,
      tracking,
      faults,
      replaceFaults,
      counters,
      catalog,
      executor,
    };
    const shared = { scope, token, runTokens, faults, counters, log };
    secureHandler.resolve(createListener({ ...shared, router: createRouter(createRouteGroups(context, mlflow)) }));
    plainHandler.resolve(createListener({ ...shared, router: createRouter([mlflow]) }));
    lifecycle.resume();

    return {
      url,
      caFile: certificate.caFile,
      mlflowUrl,
      async stop() {
        lifecycle.stop();
        events.close();
        await executor.stop();
        await Promise.all([close(secure), close(plain)]);
        store.close();
      },
    };
  } catch (error) {
    await Promise.all([close(secure), close(plain)]);
    store.close();
    throw error;
  }
}
