import { fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { EventGridEvent } from "#local/event-delivery.ts";
import { findFreePorts } from "#local/free-ports.ts";
import type { StorageOptions } from "#local/storage/process.ts";

export const accountName = "testaccount";
export const topic = `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${accountName}`;

export interface Delivered {
  readonly headers: IncomingHttpHeaders;
  readonly events: EventGridEvent[];
}

/** An endpoint as the Functions host's: answers the handshake, keeps what it is sent. */
export async function startEndpoint(answer: (delivered: Delivered, nth: number) => number = () => 202) {
  const delivered: Delivered[] = [];
  const waiters: (() => void)[] = [];
  let validations = 0;
  const server = createServer((request, response) => void handle(request, response));
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const events = JSON.parse((await request.toArray()).join("")) as [EventGridEvent];
    if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
      validations += 1;
      response.end(
        JSON.stringify({
          validationResponse: (events[0].data as { validationCode: string }).validationCode,
        }),
      );
      return;
    }
    const one = { headers: request.headers, events };
    delivered.push(one);
    response.writeHead(answer(one, delivered.length)).end();
    for (const wake of waiters.splice(0)) wake();
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}/hook?code=secret-of-the-endpoint`,
    delivered,
    validations: () => validations,
    events: () => delivered.flatMap(({ events }) => events),
    /** Resolves once `count` deliveries have come. */
    async received(count: number): Promise<EventGridEvent[]> {
      while (delivered.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
      return delivered.flatMap(({ events }) => events);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A storage process of its own on a folder of its own; `restart` starts another on the same folder and ports. */
export async function startStorage(options: Partial<StorageOptions>) {
  const stateFolder = await mkdtemp(join(tmpdir(), "mlpipe-storage-"));
  const [port = 0, azuritePort = 0] = await findFreePorts(2);
  const accountKey = randomBytes(64).toString("base64");
  const token = randomBytes(16).toString("hex");
  const json = {
    stateFolder,
    port,
    azuritePort,
    accountName,
    accountKey,
    topic,
    token,
    subscriptions: [],
    ...options,
  };
  let output = "";
  let child: ChildProcess;

  async function start() {
    const entry = fileURLToPath(new URL("../../../local/storage/process.ts", import.meta.url));
    child = fork(entry, [], {
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child.send(json);
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
    const [message] = (await once(child, "message")) as [{ type: string; message?: string }];
    if (message.type !== "ready") throw new Error(message.message);
  }
  async function stop() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  }
  await start();
  const url = `http://127.0.0.1:${port}`;
  const credential = new StorageSharedKeyCredential(accountName, accountKey);
  return {
    url,
    port,
    azuritePort,
    token,
    blobs: new BlobServiceClient(`${url}/${accountName}`, credential, { retryOptions: { retryDelayInMs: 50 } }),
    pid: () => child.pid ?? 0,
    output: () => output,
    stop,
    async restart() {
      await stop();
      await start();
    },
    async kill() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    start,
    async setFaults(faults: unknown, bearer = token) {
      const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
      return fetch(`${url}/_embedded/faults`, {
        method: "POST",
        headers,
        body: JSON.stringify(faults),
      });
    },
    async close() {
      await stop();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}
