// The keyless door that the library's client uses. It listens on the loopback interface only.
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

const basePath = "/durabletask/";

export interface RpcListener {
  /** `http://127.0.0.1:<port>/durabletask/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** @param handle Gets the path after the base. */
export async function listenForRpc(
  handle: (request: IncomingMessage, response: ServerResponse, path: string, url: URL) => Promise<void>,
): Promise<RpcListener> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (isFromBrowser(request)) {
      response.writeHead(403).end();
      return;
    }
    if (url.pathname.startsWith(basePath)) {
      void handle(request, response, url.pathname.slice(basePath.length), url);
      return;
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A web page can reach loopback ports, under its own origin or by a name that it makes point here. */
function isFromBrowser({ headers }: IncomingMessage): boolean {
  return (
    headers.origin !== undefined ||
    headers["sec-fetch-site"] !== undefined ||
    headers.host?.startsWith("127.0.0.1:") !== true
  );
}
