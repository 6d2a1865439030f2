// The host as a process of its own, forked by whoever supervises it: node local/host/process.ts '<json options>'.
// It says `ready` or `failed` over IPC, logs to stdout, and stops when told to or when its parent is gone.
import { isAbsolute, join } from "node:path";
import { keepCompiledSoon } from "../keep-compiled.ts";
import { createDurableExtension } from "./durable/extension.ts";
import { hideCredentialsByLine } from "./failure.ts";
import { startHost } from "./host.ts";
import { toLogLine } from "./host-log.ts";
import type { HostLog } from "./contract.ts";

interface ProcessOptions {
  readonly appRoot: string;
  readonly entry?: string;
  readonly stateFolder: string;
  readonly port: number;
}

/** Twice the grace and more: what still hangs then never ends. */
const hardStopMs = 15_000;

const log: HostLog = (level, category, text) => {
  process.stdout.write(toLogLine(level, category, text));
};

// A parent that died has closed the pipe; what counts then is the stop, not the line.
process.stdout.on("error", () => {});
process.on("uncaughtException", (error) => fail("The app broke the worker", error));

try {
  const options = parseOptions(process.argv[2]);
  process.chdir(options.appRoot);
  const host = await startHost({ ...options, durable: createDurableExtension, log });
  for (const event of ["SIGTERM", "SIGINT", "disconnect"]) {
    process.once(event, () => {
      setTimeout(
        () => fail("The host did not stop", new Error(`${hardStopMs / 1000} s have passed`)),
        hardStopMs,
      ).unref();
      host.stop().then(
        () => process.exit(0),
        (error: unknown) => fail("The host did not stop cleanly", error),
      );
    });
  }
  process.send?.({ type: "ready", url: host.url });
  keepCompiledSoon();
} catch (error) {
  fail("The host did not start", error);
}

function fail(what: string, error: unknown): void {
  const message = hideCredentialsByLine(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  log("critical", "Host.Process", message);
  const end = (): never => process.exit(1);
  // The message must be out before the process is.
  if (process.send === undefined) end();
  else process.send({ type: "failed", message }, end);
}

function parseOptions(text: string | undefined): ProcessOptions {
  let options: Partial<ProcessOptions> | undefined;
  try {
    options = JSON.parse(text ?? "") as Partial<ProcessOptions>;
  } catch (error) {
    throw new Error('Start it with its options as JSON: {"appRoot": "...", "stateFolder": "...", "port": 0}', {
      cause: error,
    });
  }
  const { appRoot, stateFolder, port = 0, entry } = options;
  if (typeof appRoot !== "string" || typeof stateFolder !== "string" || typeof port !== "number") {
    throw new Error("The options `appRoot` and `stateFolder` must be folders, and `port` a number.");
  }
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(process.cwd(), path));
  return {
    appRoot: absolute(appRoot),
    stateFolder: absolute(stateFolder),
    port,
    ...(entry === undefined ? {} : { entry }),
  };
}
