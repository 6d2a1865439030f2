// In stream mode the library opens an HTTP server of its own and names no address, so it would listen on every
// interface of the machine. For the time of one call a listener without an address is given the loopback one.
import { Server } from "node:net";

/** Runs `open` and returns its result with the servers that it started listening. */
export async function listeningOnLoopback<T>(open: () => Promise<T> | T): Promise<{ result: T; servers: Server[] }> {
  const servers: Server[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- it is put back, and called with its receiver
  const original = Server.prototype.listen;
  const patched = function (this: Server, ...args: unknown[]): Server {
    servers.push(this);
    const port = args.find((arg) => typeof arg === "number") ?? 0;
    const callback = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
    return original.call(this, { port, host: "127.0.0.1" }, callback);
  };
  Server.prototype.listen = patched as typeof original;
  try {
    return { result: await open(), servers };
  } finally {
    Server.prototype.listen = original;
  }
}
