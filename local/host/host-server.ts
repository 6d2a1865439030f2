// The one HTTP listener of the host, on the loopback interface only.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { HostLog } from "./contract.ts";
import { hideCredentials } from "./failure.ts";
import { urlOf } from "./http-request.ts";
import { answer } from "./http-response.ts";
import { answerTooLarge, BodyTooLarge } from "./request-body.ts";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface HostServer {
  readonly port: number;
  /** Until this is called every request is answered 503, as by a host that is starting. */
  serve(handler: RequestHandler): void;
  /** Refuses what is new; requests in hand go on. */
  drain(): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

// As Kestrel: long enough that callers, not we, give up a connection.
const keepAliveMs = 130_000;
const maxHeaderBytes = 32_768;

/** @param port 0 takes a free one. @throws when the port is taken */
export async function listenOnLoopback(port: number, log: HostLog): Promise<HostServer> {
  let handle: RequestHandler | undefined;
  const server = createServer({ keepAliveTimeout: keepAliveMs, maxHeaderSize: maxHeaderBytes }, (request, response) => {
    void respond(request, response);
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (handle === undefined) {
      response.setHeader("connection", "close");
      answer(response, 503);
      return;
    }
    let url: URL;
    try {
      url = urlOf(request, `localhost:${address.port}`);
      decodeURIComponent(url.pathname);
    } catch {
      answer(response, 400);
      return;
    }
    try {
      await handle(request, response, url);
    } catch (error) {
      if (error instanceof BodyTooLarge) {
        answerTooLarge(request, response);
        return;
      }
      // A caller that went away is no fault of anyone here.
      if (!request.destroyed || request.complete) {
        log(
          "error",
          "Host.Http",
          hideCredentials(
            `${request.method} ${url.pathname} failed: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
      }
      if (response.headersSent) response.destroy();
      else answer(response, 500);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Port ${port} on 127.0.0.1 is taken. Choose another, or stop what holds it.`)
          : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;

  return {
    port: address.port,
    serve(handler) {
      handle = handler;
    },
    drain() {
      handle = undefined;
      server.close();
      server.closeIdleConnections();
    },
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
