// Lists come in pages: `{ value, nextLink? }`, the link carrying the filters and the place to go on from.
import type { Answer, RouteRequest } from "./route.ts";
import { userError } from "./service-error.ts";

const pageSize = 100;

export interface PageRequest {
  /** `seq` of the last item of the page before. */
  readonly after: number | undefined;
  readonly limit: number;
}

function parseCount(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw userError(`The query parameter ${name} must be a whole number above zero.`);
  return count;
}

/** Reads `$skip` (the service's continuation token, not a number of items) and `$top` or `count`. */
export function parsePage({ query }: RouteRequest): PageRequest {
  const limit = parseCount(query, "$top") ?? parseCount(query, "count") ?? pageSize;
  const token = query.get("$skip");
  if (token === null) return { after: undefined, limit: Math.min(limit, 1000) };
  const after = Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(after)) throw userError("The query parameter $skip is no continuation token of this service.");
  return { after, limit: Math.min(limit, 1000) };
}

/**
 * @param found Up to `limit + 1` items: one more than the page tells that there is another page.
 */
export function toPage<T extends { readonly seq: number }>(
  request: RouteRequest,
  page: PageRequest,
  found: readonly T[],
  toBody: (item: T) => unknown,
): Answer {
  const items = found.slice(0, page.limit);
  const last = items.at(-1);
  const body = { value: items.map(toBody) };
  if (found.length <= page.limit || last === undefined) return { status: 200, body };
  const link = new URL(request.target, request.origin);
  // The client appends its filters to the link again; one of each is enough.
  for (const name of new Set(link.searchParams.keys())) link.searchParams.set(name, link.searchParams.get(name) ?? "");
  link.searchParams.set("$skip", Buffer.from(String(last.seq)).toString("base64url"));
  return { status: 200, body: { ...body, nextLink: link.href } };
}
