// The durable task extension of the host: orchestrations, activities, entities and the client that starts them.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { BindingMetadata, Extension, HostKeys, HostLog, TypedData, Worker } from "../contract.ts";
import { toClientInput } from "./client-binding.ts";
import { createEngine } from "./engine.ts";
import { sendAnswer } from "./http-answer.ts";
import type { LinkParts } from "./links.ts";
import { createManagementApi } from "./management-api.ts";
import { parseDurableOptions } from "./options.ts";
import { type RpcListener, listenForRpc } from "./rpc-listener.ts";
import { openStore } from "./store.ts";

export interface DurableExtensionParts {
  readonly worker: Worker;
  /** Path of the SQLite file, or ":memory:". */
  readonly stateFile: string;
  readonly hubName: string;
  /** `extensions.durableTask` of host.json; our test switches under `embedded`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Origin of the host as clients see it, e.g. `http://localhost:7071`. */
  readonly publicUrl: () => string;
  readonly keys: HostKeys;
  readonly log: HostLog;
}

export interface DurableExtension extends Extension {
  /** Base of the loopback listener. @throws Error before `start`. */
  rpcUrl(): string;
}

const webhookPath = "/runtime/webhooks/durabletask";

/**
 * Opens the state and makes the extension; nothing runs before `start`.
 * @throws Error when another process holds the state file, TypeError when an option is of the wrong kind.
 */
export function createDurableExtension(parts: DurableExtensionParts): DurableExtension {
  const { worker, hubName, publicUrl, keys, log } = parts;
  const options = parseDurableOptions(parts.options);
  const store = openStore(parts.stateFile, options.switches);
  const engine = createEngine({ store, worker, options, log });
  const { maximumPayloadBytes } = options;
  const handle = createManagementApi({ store, engine, maximumPayloadBytes });
  const isKey = createKeyCheck([keys.system.durabletask_extension, keys.master]);
  let rpc: RpcListener | undefined;

  const links = (): LinkParts => ({ base: publicUrl() + webhookPath, hubName, key: keys.system.durabletask_extension });

  return {
    rpcUrl() {
      if (rpc === undefined) throw new Error("the durable task extension has not started");
      return rpc.url;
    },

    inputBinding: (binding: BindingMetadata): TypedData | undefined => toClientInput(binding, links(), rpc?.url),

    async handleWebhook(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
      const header = request.headers["x-functions-key"];
      if (!isKey(typeof header === "string" ? header : url.searchParams.get("code")))
        return sendAnswer(response, { status: 401 });
      const path = url.pathname.slice(webhookPath.length).replace(/^\//, "");
      await handle(request, response, path, url, links());
    },

    async start() {
      rpc = await listenForRpc((request, response, path, url) => handle(request, response, path, url, links()));
      engine.start();
    },

    async stop(graceMs: number) {
      await rpc?.close();
      await engine.stop(graceMs);
    },
  };
}

/** Compares digests, so that the time taken says nothing about the key. */
function createKeyCheck(accepted: readonly string[]): (given: string | null) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const digests = accepted.map(digest);
  return (given) => given !== null && digests.some((each) => timingSafeEqual(each, digest(given)));
}
