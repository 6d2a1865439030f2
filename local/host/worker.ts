// The worker: loads the app, then invokes its functions. One per process, for the library keeps its state in modules.
import { randomBytes, randomUUID } from "node:crypto";
import type { Server } from "node:net";
import type {
  BindingMetadata,
  FunctionMetadata,
  HostLog,
  InvocationRequest,
  InvocationResult,
  TypedData,
  Worker,
} from "./contract.ts";
import type { CoreLog, ProgrammingModel, RegisteredFunction } from "./core-module.ts";
import { installCoreModule } from "./core-module.ts";
import { toInvocationFailure } from "./failure.ts";
import { runHooks, runInvocation } from "./invocation.ts";
import { loadApp } from "./load-app.ts";
import { listeningOnLoopback } from "./loopback-listen.ts";
import { copyTypedData } from "./typed-data.ts";

export interface WorkerOptions {
  readonly appRoot: string;
  /** Relative to `appRoot`; by default `main` of its package.json. */
  readonly entry?: string;
  readonly log: HostLog;
  /** Value of an input binding other than the trigger; asked for at every invocation. */
  readonly inputBinding: (binding: BindingMetadata) => TypedData | undefined;
  /** Absent means no limit. */
  readonly functionTimeoutMs?: number;
}

export interface HostWorker extends Worker {
  /** Where the library takes HTTP requests in stream mode. */
  readonly streamPort: number | undefined;
  /** Waits up to `graceMs` for running invocations. @returns how many are still running */
  drain(graceMs: number): Promise<number>;
  /** Runs the `appTerminate` hooks and closes what the library opened. */
  terminate(): Promise<void>;
}

/**
 * Start order: load the app, `appStart` hooks, capabilities (locks `setup()`), lock the registry.
 * @throws when the app cannot be loaded or registers nothing
 */
export async function createWorker(options: WorkerOptions): Promise<HostWorker> {
  const { log } = options;
  const registry = installCoreModule(toCoreLog(log, "Worker"));
  const entries = await loadApp(options.appRoot, options.entry);
  const model = registry.model();
  if (model === undefined || registry.functions.size === 0) {
    throw new Error(
      `${entries.join(", ")} registers no function. Does the app call app.http(...) of @azure/functions while it loads?`,
    );
  }
  const appHookData = {};
  await runHooks(registry.hooks("appStart"), { hookData: appHookData });
  const { streamPort, servers } = await openStream(model);
  registry.lock();

  let running = 0;
  let onIdle: (() => void) | undefined;

  async function invoke(request: InvocationRequest): Promise<InvocationResult> {
    const target = registry.functions.get(request.functionName);
    if (target === undefined) throw new Error(`The app has no function "${request.functionName}".`);
    running += 1;
    const started = performance.now();
    const invocationId = request.invocationId ?? randomUUID();
    try {
      return await withTimeout(request.functionName, options.functionTimeoutMs, () =>
        runInvocation({
          registry,
          model: model as ProgrammingModel,
          target,
          request: toCoreRequest(request, invocationId, target.metadata, options.inputBinding),
          log: toCoreLog(log, `Function.${request.functionName}`),
          ...(streamPort !== undefined && isHttp(target) ? { checkResult: refuseNothing } : {}),
        }),
      );
    } catch (thrown) {
      const failure = toInvocationFailure(thrown);
      // An orchestrator fails with its whole state in the message; that is for the extension to report, not for a log.
      const [reason = ""] = failure.userMessage.split("$OutOfProcData$");
      const isWhole = reason === failure.userMessage;
      const took = `${(performance.now() - started).toFixed(0)}ms`;
      const text = `Executed 'Functions.${request.functionName}' (Failed, Id=${invocationId}, Duration=${took}): ${reason.trim()}`;
      log(
        isWhole ? "error" : "debug",
        `Function.${request.functionName}`,
        isWhole ? `${text}\n${failure.userStack}` : text,
      );
      throw failure;
    } finally {
      running -= 1;
      if (running === 0) onIdle?.();
    }
  }

  return {
    functions: [...registry.functions.values()].map(({ metadata }) => metadata),
    streamPort,
    invoke,
    async drain(graceMs) {
      if (running > 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          timer = setTimeout(resolve, graceMs);
        });
        clearTimeout(timer);
      }
      return running;
    },
    async terminate() {
      try {
        await runHooks(registry.hooks("appTerminate"), { hookData: appHookData });
      } finally {
        for (const server of servers) server.close();
      }
    },
  };
}

async function openStream(model: ProgrammingModel): Promise<{ streamPort: number | undefined; servers: Server[] }> {
  const { result: capabilities, servers } = await listeningOnLoopback(() => model.getCapabilities({}));
  const address = capabilities["HttpUri"];
  return { streamPort: address === undefined ? undefined : Number(new URL(address).port), servers };
}

function toCoreRequest(
  request: InvocationRequest,
  invocationId: string,
  metadata: FunctionMetadata,
  inputBinding: WorkerOptions["inputBinding"],
): Parameters<typeof runInvocation>[0]["request"] {
  const inputData = Object.entries(metadata.bindings).flatMap(([name, binding]) => {
    if (binding.direction !== "in") return [];
    const value = isTrigger(binding) ? request.trigger : inputBinding(binding);
    return value === undefined ? [] : [{ name, data: copyTypedData(value) }];
  });
  const triggerMetadata = Object.entries(request.triggerMetadata ?? {}).map(([key, value]) => [
    key,
    copyTypedData(value),
  ]);
  return {
    invocationId,
    functionId: metadata.name,
    inputData,
    triggerMetadata: Object.fromEntries(triggerMetadata),
    traceContext: {
      traceParent: request.traceParent ?? createTraceParent(),
      traceState: "",
      attributes: {},
    },
    retryContext: request.retryContext,
  };
}

async function withTimeout<T>(name: string, timeoutMs: number | undefined, run: () => Promise<T>): Promise<T> {
  if (timeoutMs === undefined) return run();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Error(
          `Timeout value of ${timeoutMs / 1000} s (functionTimeout in host.json) was exceeded by function: Functions.${name}. ` +
            "In the cloud the whole worker dies with it. The code still runs here; its result is dropped.",
        ),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([run(), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

function toCoreLog(log: HostLog, category: string): CoreLog {
  return (level, kind, text) => {
    if (level !== "none") log(level, kind === "user" ? `${category}.User` : category, text);
  };
}

function refuseNothing(result: unknown): void {
  if (result === null || result === undefined) {
    throw new Error(
      "The handler returned nothing in stream mode: the real host would leave the client waiting. Return { status: 204 }.",
    );
  }
}

function isTrigger(binding: BindingMetadata): boolean {
  return /trigger$/i.test(binding.type);
}

function isHttp(target: RegisteredFunction): boolean {
  return Object.values(target.metadata.bindings).some((binding) => binding.type.toLowerCase() === "httptrigger");
}

/** https://www.w3.org/TR/trace-context/#traceparent-header, not sampled. */
function createTraceParent(): string {
  const hex = randomBytes(24).toString("hex");
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`;
}
