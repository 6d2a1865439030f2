import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { HostKeys } from "#local/host/contract.ts";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "..", "..", "..");

export interface RunningApp {
  readonly url: string;
  readonly keys: HostKeys;
  readonly stateFolder: string;
  readonly child: ChildProcess;
  /** Everything the host and the app wrote so far. */
  readonly output: () => string;
  /** Asks the host to stop and waits for its process. */
  readonly stop: () => Promise<number | null>;
}

export interface AppOptions {
  readonly entry?: string;
  readonly env?: Record<string, string>;
  readonly stateFolder?: string;
  readonly graceMs?: number;
  readonly responseTimeoutMs?: number;
}

export function fixture(name: string): string {
  return join(here, "fixtures", name);
}

export function createTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mlpipe-host-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An app of these files, with the repository's packages. */
export function createApp(files: Record<string, string>): string {
  const folder = createTempFolder();
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"), "dir");
  const all = { "package.json": '{"type":"module","main":"main.js"}', "host.json": '{"version":"2.0"}', ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs the host on the app in a process of its own. Rejects with the host's message when it does not start. */
export async function startApp(appRoot: string, options: AppOptions = {}): Promise<RunningApp> {
  const stateFolder = options.stateFolder ?? createTempFolder();
  const { entry, graceMs, responseTimeoutMs } = options;
  const settings = { appRoot, stateFolder, entry, graceMs, responseTimeoutMs };
  const child = fork(join(here, "fixtures", "run-host.ts"), [JSON.stringify(settings)], {
    execArgv: [],
    env: { PATH: process.env["PATH"], ...options.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.on("message", (message: { type: string; url?: string; message?: string }) => {
      if (message.type === "ready") resolve(message.url ?? "");
      else reject(new Error(message.message));
    });
    child.once("exit", (code) => reject(new Error(`the host exited with ${code}: ${output}`)));
  });
  return {
    url,
    keys: JSON.parse(readFileSync(join(stateFolder, "host-keys.json"), "utf8")) as HostKeys,
    stateFolder,
    child,
    output: () => output,
    async stop() {
      child.send("stop");
      return exit;
    },
  };
}

/** Polls until `probe` gives something. */
export async function eventually<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
