// Keeps one child process of the stack serving: started again when it dies, as a cloud would, given up when it cannot
// stay up. A child stops by itself when its channel to us closes, so nothing outlives us, however we end.
import { fork, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { ChildLog } from "./child-log.ts";
import { killTree } from "./process-tree.ts";

export interface ChildOptions {
  readonly name: string;
  readonly module: URL;
  /** Sent as the first message: it may hold keys, and every user of the machine can read a process's arguments. */
  readonly options?: object | undefined;
  /** Holds the options back: the child loads its code meanwhile. */
  readonly after?: Promise<unknown> | undefined;
  /** Given as JSON in the first argument. */
  readonly argument?: object | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Module to load before its own. */
  readonly preload?: URL | undefined;
  /** A life that lasts so long after `ready` makes up for those before it; 20,000 when absent. */
  readonly healthyMs?: number | undefined;
  readonly log: ChildLog;
  /** Told of every start, the first and those after a death. */
  readonly onStart?: (pid: number) => void;
  /** Told why it has to be started again. */
  readonly onRestart?: (reason: string) => void;
  /** Told that it serves again, and for how long it did not. */
  readonly onRecovered?: (goneMs: number) => void;
}

export interface Child {
  /** Resolves with the first `ready` message; rejects when the child is given up before. */
  readonly ready: Promise<unknown>;
  /** Resolves with the reason when the child is given up; stays pending otherwise. */
  readonly failed: Promise<Error>;
  /** 0 between two lives. */
  pid(): number;
  /** Lets it end by itself, kills it and its descendants after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

const Message = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("ready") }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);

const readyLimitMs = 60_000;
const defaultHealthyMs = 20_000;
const maxFailures = 5;
const maxBackOffMs = 10_000;

export function startChild({
  name,
  module,
  options,
  argument,
  after,
  environment,
  preload,
  healthyMs = defaultHealthyMs,
  log,
  onStart,
  onRestart,
  onRecovered,
}: ChildOptions): Child {
  const ready = Promise.withResolvers<unknown>();
  const failed = Promise.withResolvers<Error>();
  const ended = Promise.withResolvers<void>();
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let failures = 0;
  let hasServed = false;
  let endedAt = 0;

  /** One life of the child. Resolves when it is over with what it died of. */
  function live(): Promise<{ reason: string; isFinal: boolean; wasHealthy: boolean }> {
    const one = fork(fileURLToPath(module), argument === undefined ? [] : [JSON.stringify(argument)], {
      execArgv: preload === undefined ? [] : ["--import", preload.href],
      env: environment,
      // A group of its own: Ctrl-C in the terminal is for us, who know in which order things end.
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child = one;
    if (options !== undefined) void sendOptions(one, options);
    for (const stream of [one.stdout, one.stderr]) if (stream !== null) log.follow(stream);
    if (one.pid !== undefined) onStart?.(one.pid);
    let readyAt: number | undefined;
    let finalReason: string | undefined;
    const tooSlow = setTimeout(() => one.kill("SIGKILL"), readyLimitMs);
    one.on("message", (raw) => {
      const message = Message.safeParse(raw);
      if (!message.success) return;
      if (message.data.type === "failed") {
        finalReason = message.data.message;
        return;
      }
      clearTimeout(tooSlow);
      readyAt = performance.now();
      if (hasServed) onRecovered?.(readyAt - endedAt);
      hasServed = true;
      ready.resolve(message.data);
    });
    return new Promise((resolve) => {
      const over = (how: string) => {
        clearTimeout(tooSlow);
        child = undefined;
        // One that dies on the way back has been gone since it last served.
        if (readyAt !== undefined) endedAt = performance.now();
        const wasHealthy = readyAt !== undefined && performance.now() - readyAt >= healthyMs;
        // One that has served before can serve again.
        resolve({ reason: finalReason ?? how, isFinal: finalReason !== undefined && !hasServed, wasHealthy });
      };
      one.once("error", (error) => one.pid === undefined && over(error.message));
      one.once("exit", (code, signal) => over(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    });
  }

  async function sendOptions(one: ChildProcess, content: object): Promise<void> {
    try {
      await after;
      // A child that is gone meanwhile answers with its exit.
      if (one.connected) one.send(content, () => undefined);
    } catch {
      // What it waits for has been given up, and so will be the stack.
    }
  }

  async function keepAlive(): Promise<void> {
    while (!stopping.signal.aborted) {
      const { reason, isFinal, wasHealthy } = await live();
      log.write(`${name} ended: ${reason}`);
      if (stopping.signal.aborted) return;
      failures = wasHealthy ? 1 : failures + 1;
      if (isFinal || failures >= maxFailures) return giveUp(reason, isFinal);
      onRestart?.(reason);
      // One death is an accident, and whoever waits for the part waits for this; a second may be what it was started with.
      if (failures === 1) continue;
      await delay(Math.min(maxBackOffMs, 50 * 2 ** failures), undefined, {
        signal: stopping.signal,
      }).catch(() => undefined);
    }
  }

  function giveUp(reason: string, isFinal: boolean): void {
    const lines = log.tail().map((line) => `  ${line}`);
    const error = new Error(
      isFinal
        ? `${name} cannot start: ${reason}`
        : [`${name} ended ${failures} times in a row (${reason}). Its last lines:`, ...lines].join("\n"),
    );
    ready.reject(error);
    failed.resolve(error);
  }

  ready.promise.catch(() => undefined);
  void keepAlive().finally(ended.resolve);
  return {
    ready: ready.promise,
    failed: failed.promise,
    pid: () => child?.pid ?? 0,
    async stop(graceMs) {
      stopping.abort();
      const one = child;
      if (one?.connected === true) one.disconnect();
      const inTime = await Promise.race([ended.promise.then(() => true), delay(graceMs, false, { ref: false })]);
      if (!inTime && one?.pid !== undefined) await killTree(one.pid);
      await ended.promise;
      log.close();
    },
  };
}
