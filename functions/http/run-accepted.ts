// What both ways to start a run share: the key that makes a request repeatable, and the 202.
import type { HttpResponseInit } from "@azure/functions";
import type { RunDocument } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import { json } from "../route.ts";

export const idempotencyHeader = {
  "Idempotency-Key": "The same key and request always give the same run (1 to 255 printable characters)",
};

/** @throws MlpipeError `InvalidRequest` when the header is there and unusable */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const key = headers.get("idempotency-key");
  if (key === null) return undefined;
  if (!/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(key)) {
    throw new MlpipeError("InvalidRequest", "Idempotency-Key: 1 to 255 printable ASCII characters");
  }
  return key;
}

/** 202 with the run's document and where to look for it. */
export function runAccepted(
  { document, etag }: { document: RunDocument; etag: string },
  origin: string,
): HttpResponseInit {
  const location = `${origin}/api/runs/${document.runId}`;
  return json(202, document, { location, etag, "retry-after": "2" });
}
