import { once } from "node:events";

const limitMs = 30_000;

/**
 * What a child is started with: the first message of its parent. Not an argument, because options hold keys and every
 * user of the machine can read the arguments of every process.
 * @throws when there is no parent to send it, or it does not come within 30 s
 */
export async function receiveOptions(): Promise<unknown> {
  if (process.send === undefined) throw new Error("this program is started by `mlpipe dev`");
  const [options]: unknown[] = await once(process, "message", { signal: AbortSignal.timeout(limitMs) });
  return options;
}
