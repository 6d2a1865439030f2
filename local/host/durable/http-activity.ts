// The activity behind `callHttp`. Managed identities do not exist here; their tokens are refused, not faked.
import type { HttpRequestAction } from "./actions.ts";

const timeoutMs = 100_000;

export interface HttpActivityResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
}

/** @throws Error when there is no answer within 100 s, or the request asks for what the cloud's activity refuses. */
export async function callHttpActivity(request: HttpRequestAction): Promise<HttpActivityResult> {
  if (request.tokenSource !== undefined && request.tokenSource !== null) {
    throw new Error("callHttp: a token source needs a managed identity, and there is none on this machine");
  }
  const headers = new Headers(request.headers);
  if (request.content !== undefined && !headers.has("content-type")) headers.set("content-type", "text/plain");
  if (headers.get("content-type")?.startsWith("multipart/") === true)
    throw new Error("callHttp: multipart content is not supported");
  const response = await fetch(request.uri, {
    method: request.method,
    headers,
    ...(request.content === undefined ? {} : { body: request.content }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { statusCode: response.status, headers: Object.fromEntries(response.headers), content: await response.text() };
}
