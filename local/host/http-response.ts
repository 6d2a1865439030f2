// An HTTP answer from typed data.
import type { ServerResponse } from "node:http";
import type { TypedData } from "./contract.ts";

/** The host computes these itself. */
const ownHeaders = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "trailer",
  "te",
]);

/** Writes what an HTTP function returned; nothing is 204. @throws when the headers or the status cannot be sent */
export function writeReturnValue(response: ServerResponse, value: TypedData | undefined): void {
  const http = value?.http;
  if (http === undefined) {
    answer(response, 204);
    return;
  }
  const status = Number(http.statusCode ?? 200);
  for (const [name, text] of Object.entries(http.headers ?? {})) {
    if (!ownHeaders.has(name.toLowerCase())) response.setHeader(name, text);
  }
  const cookies = (http.cookies ?? []).map((cookie) => toSetCookie(cookie as RpcCookie));
  if (cookies.length > 0) response.appendHeader("set-cookie", cookies);
  const body = status === 204 || status === 205 || status === 304 ? undefined : http.body?.bytes;
  if (status !== 204 && status !== 304) response.setHeader("content-length", body?.length ?? 0);
  response.writeHead(status).end(body);
}

/** A plain answer of the host itself; without text the body is empty. */
export function answer(response: ServerResponse, status: number, text?: string): void {
  const body = Buffer.from(text ?? "");
  if (text !== undefined) response.setHeader("content-type", "text/plain; charset=utf-8");
  if (status !== 204) response.setHeader("content-length", body.length);
  response.writeHead(status).end(body);
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response
    .writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": body.length,
    })
    .end(body);
}

/** Each optional value is wrapped, as in the Functions RPC. */
interface RpcCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { value: string };
  readonly path?: { value: string };
  readonly expires?: { value: { seconds: number } };
  readonly secure?: { value: boolean };
  readonly httpOnly?: { value: boolean };
  readonly sameSite?: "none" | "lax" | "strict" | "explicitNone";
  readonly maxAge?: { value: number };
}

const sameSiteTexts = {
  none: "",
  lax: "; samesite=lax",
  strict: "; samesite=strict",
  explicitNone: "; samesite=none",
};

/** As ASP.NET Core writes it: value percent-encoded, path `/` unless said otherwise. */
function toSetCookie(cookie: RpcCookie): string {
  return [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.expires === undefined ? "" : `; expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge === undefined ? "" : `; max-age=${cookie.maxAge.value}`,
    cookie.domain === undefined ? "" : `; domain=${cookie.domain.value}`,
    `; path=${cookie.path?.value ?? "/"}`,
    cookie.secure?.value === true ? "; secure" : "",
    sameSiteTexts[cookie.sameSite ?? "none"],
    cookie.httpOnly?.value === true ? "; httponly" : "",
  ].join("");
}
