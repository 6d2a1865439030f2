// `/_embedded/...` beside the blobs: no account may be called so, and Azure has no such door.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { EventFaults } from "../event-faults.ts";
import type { EventGrid } from "../event-grid.ts";
import type { Commits } from "./commits.ts";

const maxBodyBytes = 64 * 1024;

export interface ControlOptions {
  readonly grid: EventGrid;
  readonly commits: Commits;
  /** The stack's: opens the door. */
  readonly token: string;
}

/**
 * Serves `GET` and `POST /_embedded/faults` and `GET /_embedded/commits` (bearer token). A POST replaces all faults; what it leaves
 * out is off. The returned function answers false to what is not its own.
 */
export function createControl({
  grid,
  commits,
  token,
}: ControlOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.url?.startsWith("/_embedded/") !== true) return false;
    void answer(request).then(
      ({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      },
      () => response.destroy(),
    );
    return true;
  };

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (!isSame(request.headers.authorization ?? "", `Bearer ${token}`)) {
      return { status: 401, body: { error: "the stack's token is missing or wrong" } };
    }
    if (request.url === "/_embedded/commits") {
      return request.method === "GET"
        ? { status: 200, body: { commits: commits.recent() } }
        : { status: 405, body: { error: "GET" } };
    }
    if (request.url !== "/_embedded/faults")
      return { status: 404, body: { error: "only /_embedded/faults and /_embedded/commits are here" } };
    if (request.method === "POST") {
      const parsed = EventFaults.safeParse(parseJson(await readBody(request)));
      if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
      grid.setFaults(parsed.data);
    } else if (request.method !== "GET") {
      return { status: 405, body: { error: "GET or POST" } };
    }
    return { status: 200, body: grid.faults() };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Error("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSame(left: string, right: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(left), digest(right));
}
