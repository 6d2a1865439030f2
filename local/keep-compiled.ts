// Node keeps compiled code for the next start when a process ends, which one that is killed never does.
import { flushCompileCache } from "node:module";

/** Off the way of whoever waited for the part to serve. */
const afterMs = 5000;

/** Keeps what this process has compiled so far, in a moment. */
export function keepCompiledSoon(): void {
  setTimeout(flushCompileCache, afterMs).unref();
}
