import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";

export interface AzuriteOptions {
  readonly folder: string;
  /** Loopback TCP port, chosen by the caller. */
  readonly port: number;
  readonly accountName: string;
  /** Base64. */
  readonly accountKey: string;
}

export interface Azurite {
  readonly pid: number;
  /** Resolves when the process is gone, however that came. */
  readonly ended: Promise<void>;
  /** Kills the process after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);

const startLimitMs = 30_000;

/**
 * Starts Azurite's blob service as a child process on loopback with one account of our own.
 * Throws when it does not serve within 30 s, with its own reason where it gave one.
 */
export async function startAzurite({ folder, port, accountName, accountKey }: AzuriteOptions): Promise<Azurite> {
  const child = fork(fileURLToPath(new URL("azurite-process.ts", import.meta.url)), [folder, String(port)], {
    execArgv: [],
    env: { ...process.env, AZURITE_ACCOUNTS: `${accountName}:${accountKey}` },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(() => undefined);
  const stop = async (graceMs: number) => {
    if (child.connected) child.disconnect();
    const killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await ended;
    clearTimeout(killer);
  };
  try {
    const failed = ended.then(() => Promise.reject(new Error("it ended before it was ready")));
    const [first]: unknown[] = await Promise.race([
      once(child, "message", { signal: AbortSignal.timeout(startLimitMs) }),
      failed,
    ]);
    const message = Message.parse(first);
    if (message.type === "failed") throw new Error(message.message);
  } catch (cause) {
    await stop(0);
    throw new Error(`Azurite did not start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return { pid: child.pid ?? 0, ended, stop };
}
