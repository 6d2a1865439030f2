// HTTP triggers: route, key, then the function, either with the whole request in hand or streamed past it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HostKeys, HostLog } from "./contract.ts";
import { toHttpData } from "./http-request.ts";
import { answer, writeReturnValue } from "./http-response.ts";
import { createHttpStream } from "./http-stream.ts";
import { isAllowed, keyOf } from "./key-check.ts";
import { contentLengthOf, readBody } from "./request-body.ts";
import type { RouteTable } from "./route-table.ts";
import { matchRoute } from "./route-table.ts";
import type { HostWorker } from "./worker.ts";

export interface HttpTriggerOptions {
  readonly worker: HostWorker;
  readonly routes: RouteTable;
  readonly keys: HostKeys;
  readonly bodyLimitBytes: number;
  /** How long a caller waits for an answer to begin. */
  readonly responseTimeoutMs: number;
  readonly log: HostLog;
}

export interface HttpTrigger {
  /**
   * Answers the request.
   * @throws BodyTooLarge, and whatever makes the answer impossible to write
   */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
  close(): void;
}

export function createHttpTrigger(options: HttpTriggerOptions): HttpTrigger {
  const { worker, log } = options;
  const stream =
    worker.streamPort === undefined
      ? undefined
      : createHttpStream({
          worker,
          port: worker.streamPort,
          bodyLimitBytes: options.bodyLimitBytes,
          log,
        });

  async function invoke(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const name = target.route.functionName;
    const hasLength = (contentLengthOf(request) ?? 0) > 0;
    if (!hasLength && request.headers["transfer-encoding"] !== undefined) {
      log(
        "warning",
        `Function.${name}`,
        "A body without Content-Length reaches the handler empty, as on Azure; use stream mode for those.",
      );
    }
    const body = await readBody(request, options.bodyLimitBytes);
    const traceParent = request.headers["traceparent"];
    let result;
    try {
      result = await worker.invoke({
        functionName: name,
        trigger: {
          http: toHttpData(request, target.url, target.params, hasLength ? body : undefined),
        },
        ...(typeof traceParent === "string" ? { traceParent } : {}),
      });
    } catch {
      // The worker has logged it; the caller learns nothing, as on Azure.
      if (!response.headersSent) answer(response, 500);
      return;
    }
    if (!response.headersSent) writeReturnValue(response, result.returnValue);
  }

  function limitWaiting(response: ServerResponse, name: string): void {
    const timer = setTimeout(() => {
      if (response.headersSent) return;
      const text =
        "No answer began within the time that the cloud's front end allows: answer 202 and let the caller ask.";
      log("error", `Function.${name}`, text);
      answer(response, 504);
    }, options.responseTimeoutMs);
    response.once("close", () => clearTimeout(timer));
  }

  return {
    async handle(request, response, url) {
      const match = matchRoute(options.routes, request.method ?? "GET", url.pathname);
      if (match === undefined) {
        answer(response, 404);
      } else if (!isAllowed(keyOf(request, url), match.route.authLevel, options.keys)) {
        answer(response, 401);
      } else {
        limitWaiting(response, match.route.functionName);
        await (stream?.forward ?? invoke)(request, response, { ...match, url });
      }
    },
    close() {
      stream?.close();
    },
  };
}

type Target = { url: URL } & NonNullable<ReturnType<typeof matchRoute>>;
