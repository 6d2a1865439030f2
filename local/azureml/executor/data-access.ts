// What a job's owner is told when an input cannot be read or an output not written.
import { setMaxListeners } from "node:events";

export class DataAccessError extends Error {
  readonly code = "DataAccess";
}

/** `cause` in words, with the input or output and the URI it is about. Aborts pass through. */
export function toDataAccessError(what: string, uri: string, cause: unknown): Error {
  if (cause instanceof DataAccessError) return cause;
  if (cause instanceof Error && cause.name === "AbortError") return cause;
  return new DataAccessError(`${what} (${withoutQuery(uri)}): ${describe(cause)}`, { cause });
}

function describe(cause: unknown): string {
  const statusCode =
    typeof cause === "object" && cause !== null && "statusCode" in cause ? cause.statusCode : undefined;
  const code = codeOf(cause) ?? (cause instanceof Error ? codeOf(cause.cause) : undefined);
  if (code === "ContainerNotFound") return "its container does not exist";
  if (statusCode === 404) return "not found, there is nothing at this place";
  if (statusCode === 401 || statusCode === 403) return `access was denied${code === undefined ? "" : ` (${code})`}`;
  if (statusCode === 412) return "it was changed while it was read";
  if (code === "ENOTFOUND") return "this machine finds no host of that name";
  if (code === "ECONNREFUSED" || code === "ECONNRESET") return `the storage does not answer (${code})`;
  const message = cause instanceof Error ? cause.message : String(cause);
  return withoutQuery(message.split("\n")[0] ?? "");
}

function codeOf(cause: unknown): string | undefined {
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : undefined;
}

/** A URI as it may be shown: signatures live in the query. */
export function withoutQuery(text: string): string {
  return text.replace(/\?[^\s"')]*/g, "");
}

/** `signal`, and the end of patience with one request or transfer. */
export function within(signal: AbortSignal, seconds: number): AbortSignal {
  const both = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
  // One signal is shared by every retry and block of a transfer.
  setMaxListeners(0, both);
  return both;
}
