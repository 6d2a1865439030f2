// The library writes a streamed answer as fast as its source gives it and keeps in memory what the caller has not taken yet. Here
// the source waits for the caller's connection, so that an answer of any size costs the same memory.
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { HttpResponseInit } from "@azure/functions";

/** By this field the host tells the library which invocation a request belongs to. */
const invocationHeader = "x-ms-invocation-id";

export type PaceBody = (answer: HttpResponseInit, invocationId: string) => HttpResponseInit;

/**
 * Listens to Node's own channel of requests (`http.server.request.start`), the only way to the connection of an invocation.
 *
 * @returns makes an answer whose body is a Node stream wait for its connection; without one in stream mode it stays as it is
 */
export function createPaceBody(): PaceBody {
  const connections = new Map<string, ServerResponse>();

  subscribe("http.server.request.start", (message) => {
    // The documented shape of this channel's messages.
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[invocationHeader];
    if (typeof id !== "string") return;
    connections.set(id, response);
    response.once("close", () => {
      if (connections.get(id) === response) connections.delete(id);
    });
  });

  return function paceBody(answer, invocationId) {
    const connection = connections.get(invocationId);
    return connection !== undefined && answer.body instanceof Readable
      ? { ...answer, body: paced(answer.body, connection) }
      : answer;
  };
}

async function* paced(source: Readable, connection: ServerResponse): AsyncGenerator<Uint8Array> {
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    yield chunk;
    // Whoever asks for the next chunk has written this one.
    if (connection.writableNeedDrain) await drained(connection);
    if (connection.destroyed) return;
  }
}

async function drained(connection: ServerResponse): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(connection, "drain", { signal }), once(connection, "close", { signal })]);
  // Takes away the listener that was not called.
  waiting.abort();
}
