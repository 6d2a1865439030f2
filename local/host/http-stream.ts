// Stream mode: the request goes on, as it is, to the server that the library opened; the invocation runs beside it and
// tells the library which request is meant.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request as openRequest } from "node:http";
import { pipeline } from "node:stream";
import type { HostLog, TypedData, Worker } from "./contract.ts";
import { headersOf, queryOf } from "./http-request.ts";
import { answer } from "./http-response.ts";
import { answerTooLarge, contentLengthOf, drain } from "./request-body.ts";
import type { Route } from "./route-table.ts";

export interface HttpStreamOptions {
  readonly worker: Worker;
  readonly port: number;
  readonly bodyLimitBytes: number;
  readonly log: HostLog;
}

export interface HttpStream {
  readonly forward: (request: IncomingMessage, response: ServerResponse, target: StreamTarget) => Promise<void>;
  readonly close: () => void;
}

interface StreamTarget {
  readonly route: Route;
  readonly url: URL;
  readonly params: Record<string, string>;
}

/** Connection-level fields that end at this hop (RFC 9110 section 7.6.1), and those the host sets itself. */
const hopHeaders = new Set(
  "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade expect".split(
    " ",
  ),
);

/** The app takes a body of this length at once, whatever becomes of the request. */
const shortBodyBytes = 16 * 1024;

export function createHttpStream(options: HttpStreamOptions): HttpStream {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });

  async function forward(request: IncomingMessage, response: ServerResponse, target: StreamTarget): Promise<void> {
    if ((contentLengthOf(request) ?? 0) > options.bodyLimitBytes) {
      answerTooLarge(request, response);
      return;
    }
    const invocationId = randomUUID();
    const onward = openRequest({
      agent,
      host: "127.0.0.1",
      port: options.port,
      method: request.method,
      path: `${target.url.pathname}${target.url.search}`,
      headers: onwardHeaders(request, target.url, invocationId),
    });
    let isPassingOn = false;
    onward.on("response", (incoming) => {
      if (response.headersSent) return;
      isPassingOn = true;
      // What the app has not taken of a long body would stand before the next request of this connection.
      if ((contentLengthOf(request) ?? (isChunked(request) ? Infinity : 0)) > shortBodyBytes)
        onward.shouldKeepAlive = false;
      response.writeHead(incoming.statusCode ?? 500, keptHeaders(incoming.rawHeaders));
      pipeline(incoming, response, () => {});
    });
    // Whoever ends the onward request early has answered already, or is about to.
    onward.on("error", () => {});
    response.once("close", () => {
      request.unpipe(onward);
      onward.destroy();
      drain(request);
    });
    limitLength(request, options.bodyLimitBytes, () => {
      onward.destroy();
      answerTooLarge(request, response);
    });
    request.pipe(onward);
    const traceParent = request.headers["traceparent"];
    try {
      await options.worker.invoke({
        functionName: target.route.functionName,
        trigger: { http: {} },
        triggerMetadata: toTriggerMetadata(request, target),
        invocationId,
        ...(typeof traceParent === "string" ? { traceParent } : {}),
      });
    } catch {
      // The worker has logged it. The library never answers for a failed handler; the real host lets the caller wait.
      onward.destroy();
      if (!response.headersSent) answer(response, 500);
      else if (isPassingOn) response.destroy();
    }
  }

  return {
    forward,
    close() {
      agent.destroy();
    },
  };
}

/** Query keys show up among the parameters, as they do on the real host. */
function toTriggerMetadata(request: IncomingMessage, target: StreamTarget): Record<string, TypedData> {
  const query = queryOf(target.url);
  const strings = Object.entries({ ...query, ...target.params }).filter(
    ([key]) => key.toLowerCase() !== "code" || key in target.params,
  );
  return {
    ...Object.fromEntries(strings.map(([key, string]) => [key, { string }])),
    Headers: { json: JSON.stringify(headersOf(request)) },
    Query: { json: JSON.stringify(query) },
  };
}

function onwardHeaders(request: IncomingMessage, url: URL, invocationId: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined && !hopHeaders.has(name)) headers[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  // Without a length or chunks the onward request has no body; the same must hold as for the one that came in.
  if (isChunked(request)) headers["transfer-encoding"] = "chunked";
  headers["x-ms-invocation-id"] = invocationId;
  headers["x-forwarded-host"] = url.host;
  headers["x-forwarded-proto"] = "http";
  return headers;
}

function keptHeaders(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!hopHeaders.has(name.toLowerCase())) kept.push(name, rawHeaders[at + 1] ?? "");
  }
  return kept;
}

function isChunked(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined;
}

function limitLength(request: IncomingMessage, limitBytes: number, onExceeded: () => void): void {
  if (!isChunked(request)) return;
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    const before = length;
    length += chunk.length;
    if (before <= limitBytes && length > limitBytes) onExceeded();
  });
}
