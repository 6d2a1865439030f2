// The durable task extension with the real library on both sides: orchestrators are its generators, clients its client.
import { registry } from "./functions-core.ts";

import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { trigger } from "@azure/functions";
import * as df from "durable-functions";

import type { BindingMetadata, InvocationRequest, TypedData, Worker } from "#local/host/contract.ts";
import { type DurableExtension, createDurableExtension } from "#local/host/durable/extension.ts";
import { toInvocationFailure } from "#local/host/failure.ts";
import { runInvocation } from "#local/host/invocation.ts";

export { df };

export interface HarnessOptions {
  readonly stateFile?: string;
  readonly options?: Record<string, unknown>;
  readonly embedded?: Record<string, unknown>;
  /** Takes the keyless address from the client, so that it uses the public URLs. */
  readonly isPublicClient?: boolean;
}

export interface Harness {
  readonly client: df.DurableClient;
  readonly extension: DurableExtension;
  /** Origin of the public webhook. */
  readonly origin: string;
  readonly log: string[];
  readonly key: string;
  /** Polls until the instance has one of the statuses, by default an ended one. */
  readonly until: (id: string, ...statuses: string[]) => Promise<df.DurableOrchestrationStatus>;
  /** Starts, waits for the end, and gives the last status. */
  readonly complete: (name: string, input?: unknown, instanceId?: string) => Promise<df.DurableOrchestrationStatus>;
  readonly stop: () => Promise<void>;
}

const ended = ["Completed", "Failed", "Terminated", "Canceled"];
const key = "durable-key";
let receive: ((client: df.DurableClient) => void) | undefined;

df.app.client.generic("takeClient", {
  trigger: trigger.generic({ type: "manualTrigger" }),
  handler: (_, client) => receive?.(client),
});

export async function startHarness(given: HarnessOptions = {}): Promise<Harness> {
  const log: string[] = [];
  const holder: { extension?: DurableExtension } = {};
  const worker = createTestWorker((binding) => {
    const value = holder.extension?.inputBinding(binding);
    if (value?.string === undefined || given.isPublicClient !== true) return value;
    const { rpcBaseUrl: _, ...rest } = JSON.parse(value.string) as Record<string, unknown>;
    return { string: JSON.stringify(rest) };
  });
  const server = await listen((request, response) => {
    void holder.extension?.handleWebhook(request, response, new URL(request.url ?? "/", "http://localhost"));
  });
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const extension = createDurableExtension({
    worker,
    stateFile: given.stateFile ?? ":memory:",
    hubName: "TestHub",
    options: { ...given.options, embedded: given.embedded ?? {} },
    publicUrl: () => origin,
    keys: {
      master: "master-key",
      default: "default-key",
      system: { durabletask_extension: key, eventgrid_extension: "", blobs_extension: "" },
    },
    log: (level, _, text) => void log.push(`${level}: ${text}`),
  });
  holder.extension = extension;
  await extension.start();
  const client = await takeClient(worker);

  async function until(id: string, ...statuses: string[]): Promise<df.DurableOrchestrationStatus> {
    const wanted = statuses.length === 0 ? ended : statuses;
    const deadline = performance.now() + 20_000;
    for (;;) {
      const status = await client.getStatus(id);
      if (wanted.includes(status.runtimeStatus)) return status;
      if (performance.now() > deadline) throw new Error(`${id} is still ${status.runtimeStatus}\n${log.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  return {
    client,
    extension,
    origin,
    log,
    key,
    until,
    async complete(name, input, instanceId) {
      const id = await client.startNew(name, {
        ...(input === undefined ? {} : { input }),
        ...(instanceId === undefined ? {} : { instanceId }),
      });
      return until(id);
    },
    async stop() {
      await extension.stop(5000);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The worker's protocol around the functions registered in this process. */
export function createTestWorker(inputBinding: (binding: BindingMetadata) => TypedData | undefined): Worker {
  return {
    get functions() {
      return [...registry.functions.values()].map(({ metadata }) => metadata);
    },
    async invoke(request: InvocationRequest) {
      const target = registry.functions.get(request.functionName);
      const model = registry.model();
      if (target === undefined || model === undefined) throw new Error(`no function ${request.functionName}`);
      const invocationId = crypto.randomUUID();
      const inputData = Object.entries(target.metadata.bindings).flatMap(([name, binding]) => {
        const data = binding.type.endsWith("Trigger") ? request.trigger : inputBinding(binding);
        return data === undefined ? [] : [{ name, data }];
      });
      const traceContext = { traceParent: "", traceState: "", attributes: {} };
      const { triggerMetadata } = request;
      const core = {
        invocationId,
        functionId: target.metadata.name,
        inputData,
        triggerMetadata,
        traceContext,
        retryContext: undefined,
      };
      try {
        return await runInvocation({ registry, model, target, request: core, log: () => undefined });
      } catch (error) {
        throw toInvocationFailure(error);
      }
    },
  };
}

async function takeClient(worker: Worker): Promise<df.DurableClient> {
  const { promise, resolve } = Promise.withResolvers<df.DurableClient>();
  receive = resolve;
  await worker.invoke({ functionName: "takeClient", trigger: {} });
  return promise;
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A promise that a test settles by hand, for activities that must not end by themselves. */
export function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
