// One try to hand a message over: to an address that may be reached, in bounded time, following nothing and reading nothing back.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressGuard, type Judgement, refusal, refusedCode } from "./guard-address.ts";

export type PostResult =
  | { readonly kind: "delivered"; readonly status: number }
  /** It may work later. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfterSeconds?: number }
  /** It will not: the address may not be reached, or says that it is gone for good. */
  | { readonly kind: "refused"; readonly reason: string };

const limitMs = 10_000;
const longestRetryAfterSeconds = 86_400;

/** @param url https; http only where the guard's list of exceptions names it */
export function postMessage(
  guard: AddressGuard,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<PostResult> {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const accept: readonly Judgement[] = protocol === "https:" ? ["public", "allowed"] : ["allowed"];
  const known = guard.judgeHost(host);
  // For an address that is written as one nobody asks the lookup.
  if (known !== undefined && !accept.includes(known)) return Promise.resolve(toRefused(protocol));
  const send = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((settle) => {
    const request = send(
      {
        protocol,
        host,
        port,
        path: `${pathname}${search}`,
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "user-agent": "mlpipe-webhooks",
        },
        agent: false,
        lookup: guard.lookup(accept),
        signal: AbortSignal.timeout(limitMs),
      },
      (response) => {
        settle(toResult(response.statusCode ?? 0, response.headers["retry-after"]));
        // What it says is nobody's business, and may have no end.
        response.destroy();
      },
    );
    request.on("socket", (socket) =>
      socket.once("connect", () => {
        const { remoteAddress } = socket;
        if (remoteAddress === undefined || !accept.includes(guard.judge(host, remoteAddress)))
          request.destroy(refusal());
      }),
    );
    request.on("error", (error: NodeJS.ErrnoException) => settle(toFailure(error, protocol)));
    request.end(body);
  });
}

function toResult(status: number, retryAfter: string | undefined): PostResult {
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  if (status === 410) return { kind: "refused", reason: "it answered 410: it wants no more" };
  const reason =
    status >= 300 && status < 400 ? `it answered ${status}: redirects are not followed` : `it answered ${status}`;
  const seconds = Number(retryAfter);
  return {
    kind: "failed",
    reason,
    ...(seconds > 0 ? { retryAfterSeconds: Math.min(seconds, longestRetryAfterSeconds) } : {}),
  };
}

function toFailure({ name, code, message }: NodeJS.ErrnoException, protocol: string): PostResult {
  if (code === refusedCode) return toRefused(protocol);
  if (name === "AbortError" || name === "TimeoutError")
    return { kind: "failed", reason: `no answer within ${limitMs / 1000} s` };
  return { kind: "failed", reason: `it cannot be reached (${code ?? message})` };
}

function toRefused(protocol: string): PostResult {
  const reason =
    protocol === "https:"
      ? "its address is private, local or the platform's own, and MLPIPE_WEBHOOK_ALLOW does not name it"
      : "it is plain http, and MLPIPE_WEBHOOK_ALLOW does not name it";
  return { kind: "refused", reason };
}
