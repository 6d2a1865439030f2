// Which answers of the blob service mean that a blob is there, and the event Event Grid makes of each.
// https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
import { randomUUID } from "node:crypto";
import { Agent, request as sendRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { EventGridEvent } from "../event-delivery.ts";
import { createReadToken } from "./read-token.ts";

export interface BlobCreatedOptions {
  /** Loopback port of the blob service itself. */
  readonly upstreamPort: number;
  /** What the events' URLs begin with: the address the clients use, no trailing slash. Path-style, where Azure's own is host-style. */
  readonly url: string;
  /** ARM id of the storage account. */
  readonly topic: string;
  readonly accountName: string;
  readonly accountKey: string;
  readonly publish: (event: EventGridEvent, better?: Promise<EventGridEvent>) => void;
  /** Told of every write before its event goes out. */
  readonly onCommit?: (container: string, blob: string) => void;
}

interface Write {
  readonly api: "PutBlob" | "PutBlockList" | "CopyBlob";
  readonly container: string;
  readonly blob: string;
  /** `/{account}/{container}/{blob}` as the client wrote it, percent-encoded. */
  readonly path: string;
}

interface BlobFacts {
  readonly contentLength: number;
  readonly contentType: string;
  readonly blobType: string;
}

const lookUpLimitMs = 5000;

/** Returns the function that is told of every answer and publishes an event for each blob created or replaced. */
export function createBlobCreated(
  options: BlobCreatedOptions,
): (request: IncomingMessage, answer: IncomingMessage) => void {
  const { upstreamPort, url, topic, accountName, accountKey, publish, onCommit } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const readToken = createReadToken(accountName, accountKey);
  const nextSequencer = createSequencer();

  return (request, answer) => {
    const write = findWrite(request, answer, accountName);
    if (write === undefined) return;
    onCommit?.(write.container, write.blob);
    const toEvent = createEvent(write, request, answer, { topic, url, sequencer: nextSequencer() });
    const known = factsOfRequest(write, request.headers);
    if (known !== undefined) return publish(toEvent(known));
    // A block list and a copy do not say how long the blob has become.
    publish(toEvent(unknownFacts), lookUp(agent, upstreamPort, `${write.path}?${readToken}`).then(toEvent));
  };
}

function findWrite(request: IncomingMessage, answer: IncomingMessage, accountName: string): Write | undefined {
  if (request.method !== "PUT" || (answer.statusCode !== 201 && answer.statusCode !== 202)) return undefined;
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const parsed = /^\/([^/]+)\/([^/]+)\/(.+)$/.exec(path);
  if (parsed === null || parsed[1] !== accountName) return undefined;
  const parameters = new URLSearchParams(query);
  const api = apiOf(request.headers, parameters.get("comp"));
  if (api === undefined || parameters.has("restype")) return undefined;
  return { api, container: decode(parsed[2] ?? ""), blob: decode(parsed[3] ?? ""), path };
}

function apiOf(headers: IncomingHttpHeaders, comp: string | null): Write["api"] | undefined {
  if (comp === "blocklist") return "PutBlockList";
  if (comp !== null) return undefined;
  if (headers["x-ms-blob-type"] !== undefined) return "PutBlob";
  return headers["x-ms-copy-source"] === undefined ? undefined : "CopyBlob";
}

/** What the request says of the blob, or undefined when only the service knows. */
function factsOfRequest({ api }: Write, headers: IncomingHttpHeaders): BlobFacts | undefined {
  if (api !== "PutBlob" || headers["x-ms-copy-source"] !== undefined) return undefined;
  const length = headers["x-ms-blob-content-length"] ?? headers["content-length"];
  if (length === undefined) return undefined;
  return {
    contentLength: Number(length),
    contentType: text(headers["x-ms-blob-content-type"]) ?? headers["content-type"] ?? "application/octet-stream",
    blobType: text(headers["x-ms-blob-type"]) ?? "BlockBlob",
  };
}

/** Gone again, or no answer in time: the event still says that it was written. */
const unknownFacts: BlobFacts = {
  contentLength: 0,
  contentType: "application/octet-stream",
  blobType: "BlockBlob",
};

function lookUp(agent: Agent, port: number, path: string): Promise<BlobFacts> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(lookUpLimitMs);
    const request = sendRequest({ agent, host: "127.0.0.1", port, method: "HEAD", path, signal }, (answer) => {
      answer.resume();
      if (answer.statusCode !== 200) return resolve(unknownFacts);
      resolve({
        contentLength: Number(answer.headers["content-length"] ?? 0),
        contentType: answer.headers["content-type"] ?? unknownFacts.contentType,
        blobType: text(answer.headers["x-ms-blob-type"]) ?? unknownFacts.blobType,
      });
    });
    request.on("error", () => resolve(unknownFacts));
    request.end();
  });
}

function createEvent(
  { api, container, blob, path }: Write,
  request: IncomingMessage,
  answer: IncomingMessage,
  { topic, url, sequencer }: { topic: string; url: string; sequencer: string },
): (facts: BlobFacts) => EventGridEvent {
  const id = randomUUID();
  // The service's clock shows 100 ns.
  const eventTime = new Date().toISOString().replace("Z", "0000Z");
  return ({ contentType, contentLength, blobType }) => ({
    topic,
    subject: `/blobServices/default/containers/${container}/blobs/${blob}`,
    eventType: "Microsoft.Storage.BlobCreated",
    eventTime,
    id,
    data: {
      api,
      clientRequestId: text(request.headers["x-ms-client-request-id"]) ?? randomUUID(),
      requestId: text(answer.headers["x-ms-request-id"]) ?? randomUUID(),
      eTag: (answer.headers.etag ?? "").replaceAll('"', ""),
      contentType,
      contentLength,
      blobType,
      url: `${url}${path}`,
      sequencer,
      storageDiagnostics: { batchId: randomUUID() },
    },
    dataVersion: "",
    metadataVersion: "1",
  });
}

/** Strings of one length that grow, also over a restart: the time in the high half, a count in the low one. */
function createSequencer(): () => string {
  let millisecond = 0;
  let count = 0;
  return () => {
    const now = Date.now();
    count = now > millisecond ? 0 : count + 1;
    millisecond = Math.max(now, millisecond);
    return millisecond.toString(16).padStart(16, "0") + count.toString(16).padStart(16, "0");
  };
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
