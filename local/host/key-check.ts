// Who may call: header `x-functions-key` wins over query `code`.
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { HostKeys } from "./contract.ts";
import type { AuthLevel } from "./route-table.ts";

/** The key that the request shows, if any. */
export function keyOf(request: IncomingMessage, url: URL): string | undefined {
  const header = request.headers["x-functions-key"];
  return (Array.isArray(header) ? header[0] : header) ?? url.searchParams.get("code") ?? undefined;
}

/** Whether `key` opens an HTTP function of that level. The master key opens everything. */
export function isAllowed(key: string | undefined, level: AuthLevel, keys: HostKeys): boolean {
  switch (level) {
    case "anonymous":
      return true;
    case "function":
      return isOneOf(key, [keys.default, keys.master]);
    case "admin":
      return isOneOf(key, [keys.master]);
  }
}

/** Whether `key` is one of `allowed`, in a time that tells nothing about how much of it was right. */
export function isOneOf(key: string | undefined, allowed: readonly string[]): boolean {
  if (key === undefined) return false;
  const given = Buffer.from(key);
  return allowed
    .map((each) => Buffer.from(each))
    .some((each) => each.length === given.length && timingSafeEqual(each, given));
}
