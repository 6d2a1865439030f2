// What a route is: a name that counters and faults know it by, a place, and a function from request to answer.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { userError, ServiceError } from "./service-error.ts";

/** Who asks: the holder of the workspace's token, or a job with its own. */
export type Caller = { readonly kind: "owner" } | { readonly kind: "job"; readonly jobName: string };

export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Origin the caller used, e.g. `https://127.0.0.1:8443`. */
  readonly origin: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Milliseconds of the epoch when the request's head had arrived. */
  readonly receivedAtMs: number;
  /** The body's stream; `readJson` for those who want it whole. */
  readonly message: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it comes, in place of `body`. */
  readonly stream?: Readable;
}

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

export interface Route {
  readonly name: string;
  readonly method: Method;
  /** Below the group's root, `:name` for parameters. */
  readonly path: string;
  handle(request: RouteRequest): Answer | Promise<Answer>;
}

// The limit of Azure Resource Manager: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
const maxBodyBytes = 4 * 1024 * 1024;

/**
 * The whole body as JSON.
 * @throws ServiceError when it is too large (413) or no JSON object (400).
 */
export async function readJson(request: RouteRequest, limit = maxBodyBytes): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request.message) {
    size += part.length;
    if (size > limit) {
      throw new ServiceError(`The request content size exceeds the maximum of ${limit} bytes.`, {
        status: 413,
        code: "RequestEntityTooLarge",
      });
    }
    parts.push(part);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw userError(`The request content is not valid JSON: ${cause instanceof Error ? cause.message : ""}`, [
      "InvalidRequestContent",
    ]);
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw userError("The request content is not a JSON object.", ["InvalidRequestContent"]);
  }
  return Object.fromEntries(Object.entries(body));
}

/** A path parameter that the route's own pattern guarantees. */
export function param(request: RouteRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}
