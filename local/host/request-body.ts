// Request bodies, within the host's limit.
import type { IncomingMessage, ServerResponse } from "node:http";

/** Tells a body over the limit from every other failure. */
export class BodyTooLarge extends Error {}

/** The declared length; undefined for a chunked body or none. */
export function contentLengthOf(request: IncomingMessage): number | undefined {
  const header = request.headers["content-length"];
  return header === undefined ? undefined : Number(header);
}

/** @throws BodyTooLarge as soon as the declared or the received length exceeds `limitBytes` */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if ((contentLengthOf(request) ?? 0) > limitBytes) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/**
 * Throws away what a caller still sends after its answer, for some seconds: left unread it would stand before the next request
 * of its connection.
 */
export function drain(request: IncomingMessage): void {
  const drainMs = 5_000;
  // One that has come in whole may still lie in the buffer, and holds its connection up all the same.
  if (request.readableEnded || request.destroyed) return;
  const timer = setTimeout(() => request.destroy(), drainMs);
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}

/** 413 while the caller may still be sending: it gets the answer now, the rest is thrown away. */
export function answerTooLarge(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(413, { "content-length": 0, connection: "close" }).flushHeaders();
  request.once("end", () => response.end());
  if (request.readableEnded || request.destroyed) response.end();
  else drain(request);
}
