// A transparent proxy before Azurite: bytes, headers and signatures pass unchanged and nothing is ever held back.
// Its one purpose is to see what was written.
import {
  createServer,
  request as sendRequest,
  Agent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

export interface PassThroughOptions {
  /** Loopback port of the server behind. */
  readonly upstreamPort: number;
  /** Requests wait for it: a client that is refused comes back too late, one that waits is served at once. */
  readonly upstreamReady?: Promise<unknown> | undefined;
  /** Called when the server behind has answered, before its answer is passed on; must not throw and must not wait. */
  readonly onAnswer: (request: IncomingMessage, answer: IncomingMessage) => void;
  /** Serves what is not meant for the server behind; false hands the request on. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => boolean;
}

const idleLimitMs = 120_000;
// Each connection has its own, whatever else is passed on.
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection"]);

/** The proxy, not yet listening. Closing it also closes the connections it holds to the server behind. */
export function createPassThrough({ upstreamPort, upstreamReady, onAnswer, serve }: PassThroughOptions): Server {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: idleLimitMs });
  let isReady = upstreamReady === undefined;
  void upstreamReady?.then(
    () => (isReady = true),
    () => undefined,
  );

  function pass(request: IncomingMessage, response: ServerResponse, isRetry = false): void {
    const upstream = sendRequest({
      agent,
      host: "127.0.0.1",
      port: upstreamPort,
      method: request.method,
      path: request.url,
      headers: endToEnd(request.rawHeaders),
      setHost: false,
    });
    upstream.on("continue", () => response.writeContinue());
    upstream.on("response", (answer) => {
      onAnswer(request, answer);
      response.sendDate = false;
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    upstream.on("timeout", () => upstream.destroy());
    upstream.on("error", () => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      // The server behind may close an idle connection just as we reuse it; without a body the call can be sent again.
      if (upstream.reusedSocket && !isRetry && hasNoBody(request)) return pass(request, response, true);
      answerUnavailable(request, response);
    });
    response.on("close", () => {
      if (!response.writableFinished) upstream.destroy();
    });
    // Some clients wait for 100 before they send; Node flushes other requests with their first bytes.
    if (request.headers.expect !== undefined) upstream.flushHeaders();
    request.pipe(upstream);
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (serve(request, response)) return;
    if (isReady) return pass(request, response);
    void upstreamReady?.then(
      () => pass(request, response),
      () => response.destroy(),
    );
  };
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, noDelay: true }, onRequest);
  server.on("checkContinue", onRequest);
  server.on("close", () => agent.destroy());
  return server;
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = [rawHeaders[i], rawHeaders[i + 1]];
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

function hasNoBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] === undefined && Number(request.headers["content-length"] ?? 0) === 0;
}

// What the service says when it is overloaded: every storage client tries again.
function answerUnavailable(request: IncomingMessage, response: ServerResponse): void {
  request.unpipe();
  request.resume();
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>The storage emulator is not answering.</Message></Error>`;
  response.writeHead(503, {
    "content-type": "application/xml",
    "x-ms-error-code": "ServerBusy",
    "content-length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
