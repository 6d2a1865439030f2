// CORS as the platform does it in front of the app: preflights never reach a function.
import type { IncomingMessage, ServerResponse } from "node:http";

export interface CorsSettings {
  /** `*` allows every origin. */
  readonly origins: readonly string[];
  readonly withCredentials: boolean;
}

/** Adds the headers. @returns true when the request was a preflight and is answered */
export function applyCors(settings: CorsSettings, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (settings.origins.length === 0 || origin === undefined) return false;
  const isAny = settings.origins.includes("*");
  if (isAny || settings.origins.includes(origin)) {
    response.setHeader("access-control-allow-origin", isAny && !settings.withCredentials ? "*" : origin);
    if (settings.withCredentials) response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("vary", "Origin");
  }
  const asked = request.headers["access-control-request-method"];
  if (request.method !== "OPTIONS" || asked === undefined) return false;
  if (response.hasHeader("access-control-allow-origin")) {
    response.setHeader("access-control-allow-methods", asked);
    const headers = request.headers["access-control-request-headers"];
    if (headers !== undefined) response.setHeader("access-control-allow-headers", headers);
  }
  response.writeHead(204).end();
  return true;
}
