// A request as typed data, with the host's habits: lower-case header names, repeats joined by commas.
import type { IncomingMessage } from "node:http";
import type { HttpData } from "./contract.ts";

/** @param body absent when the request declares no length: the real host then hands over an empty one */
export function toHttpData(
  request: IncomingMessage,
  url: URL,
  params: Record<string, string>,
  body: Buffer | undefined,
): HttpData {
  return {
    url: url.href,
    method: request.method ?? "GET",
    nullableHeaders: toNullable(headersOf(request)),
    nullableQuery: toNullable(queryOf(url)),
    nullableParams: toNullable(params),
    ...(body === undefined || body.length === 0 ? {} : { body: { bytes: body } }),
  };
}

/** Header name (lower case) -> value. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  const headers = emptyRecord<string>();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers[name] = values.join(",");
  }
  return headers;
}

/** Query key in its first spelling -> value; keys that differ in case are one key. */
export function queryOf(url: URL): Record<string, string> {
  const query = emptyRecord<string>();
  if (url.search === "") return query;
  const spellings = new Map<string, string>();
  for (const [key, value] of url.searchParams) {
    const first = spellings.get(key.toLowerCase());
    if (first === undefined) {
      spellings.set(key.toLowerCase(), key);
      query[key] = value;
    } else {
      query[first] += `,${value}`;
    }
  }
  return query;
}

/**
 * @throws TypeError when the target or the Host header makes no URL
 */
export function urlOf(request: IncomingMessage, fallbackHost: string): URL {
  const target = request.url ?? "/";
  return new URL(target.startsWith("/") ? `http://${request.headers.host ?? fallbackHost}${target}` : target);
}

function toNullable(values: Record<string, string>): Record<string, { value: string }> {
  const nullable = emptyRecord<{ value: string }>();
  for (const [key, value] of Object.entries(values)) nullable[key] = { value };
  return nullable;
}

/** Keys come from the network: `__proto__` must be one like any other. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
