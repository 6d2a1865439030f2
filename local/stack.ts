// The whole product on one machine: a storage account, a workspace and a Functions host, each a process of its own,
// started together, kept alive and ended in order.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { openChildLog } from "./child-log.ts";
import { startChild, type Child } from "./child.ts";
import { openChildRegister } from "./former-children.ts";
import { ensureHostKeys } from "./host/host-keys.ts";
import { openStackFolder, readStackFile } from "./stack-folder.ts";
import { planStack, stateFolder, type StackFaults, type StackPart } from "./stack-plan.ts";
import { findCacheFolder } from "./stack-settings.ts";

export interface StackOptions {
  /** Folder of all state; made where it is missing. */
  readonly home: string;
  /** Folder with the app's `host.json`; mlpipe's own when absent. */
  readonly appRoot?: string;
  /** The app's entry file, relative to `appRoot`; `main.ts` when absent. */
  readonly entry?: string;
  /** Told in one line what has started, and what had to be started again. */
  readonly onProgress?: (text: string) => void;
  /** Trouble from the start on; `POST {storage or workspace}/_embedded/faults` changes it later. */
  readonly faults?: StackFaults;
  /** More settings for the app. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Module that every part loads before its own: for tests that look, or reach, into a part. */
  readonly preload?: URL;
  /** A part that has served for so long and dies is started again however often it died before; 20,000 when absent. */
  readonly healthyMs?: number;
}

export interface Stack {
  /** Base URL of the Functions host. */
  readonly url: string;
  /** Host-wide function key. */
  readonly key: string;
  readonly home: string;
  readonly workspace: {
    readonly url: string;
    readonly mlflowUrl: string;
    readonly caFile: string;
    readonly token: string;
  };
  readonly storage: { readonly url: string; readonly connectionString: string };
  /** From the call of `startStack` until the part served. */
  readonly readyMs: Readonly<Record<StackPart, number>>;
  /** 0 for a process that is between two lives. */
  pids(): Record<StackPart, number>;
  /** Ends host, workspace and storage, in this order; leaves no process behind. */
  stop(): Promise<void>;
  /** Resolves when a part had to be given up: it no longer serves, the others still do. */
  readonly failed: Promise<Error>;
}

const HostReady = z.object({ url: z.string() });
const WorkspaceReady = z.object({ url: z.string(), caFile: z.string(), mlflowUrl: z.string() });
const StorageReady = z.object({ url: z.string() });

const graceMs: Record<StackPart, number> = { host: 10_000, workspace: 15_000, storage: 10_000 };

/**
 * Starts the stack on `home` and resolves when everything serves.
 * @throws MlpipeError `Conflict` when another process holds the folder
 * @throws Error with the child's own reason or last log lines when one cannot be started; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { onProgress } = options;
  const home = resolve(options.home);
  const began = performance.now();
  const folder = openStackFolder(home);
  const children = new Map<StackPart, Child>();
  const readyMs: Record<StackPart, number> = { storage: 0, workspace: 0, host: 0 };
  const pidOf = (part: StackPart) => children.get(part)?.pid() ?? 0;
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopAll());

  async function stopAll(): Promise<void> {
    for (const part of ["host", "workspace", "storage"] as const) await children.get(part)?.stop(graceMs[part]);
    folder.release();
  }

  try {
    const register = await openChildRegister(join(home, "children.json"));
    const hostKeys = ensureHostKeys(stateFolder(home, "host"));
    const plan = planStack({
      home,
      cacheFolder: findCacheFolder(process.env),
      ports: await folder.choosePorts(),
      secrets: folder.secrets,
      hostKeys,
      appRoot: options.appRoot,
      entry: options.entry,
      faults: options.faults,
      appSettings: options.environment,
      ownEnvironment: process.env,
    });

    async function start<T>(part: StackPart, Ready: z.ZodType<T>, after?: Promise<unknown>): Promise<T> {
      if (stopped !== undefined) throw new Error("the stack is being stopped");
      const child = startChild({
        name: part,
        ...plan.parts[part],
        after,
        preload: options.preload,
        healthyMs: options.healthyMs,
        log: openChildLog(join(home, "logs", `${part}.log`)),
        onStart: (pid) => void register.add(pid),
        onRestart: (reason) => onProgress?.(`${part} ended (${reason}) and is started again`),
        onRecovered: (goneMs) => onProgress?.(`${part} serves again after ${(goneMs / 1000).toFixed(1)} s`),
      });
      children.set(part, child);
      const message = Ready.parse(await child.ready);
      readyMs[part] = performance.now() - began;
      onProgress?.(`${part} is ready (${(readyMs[part] / 1000).toFixed(1)} s)`);
      return message;
    }

    const storageReady = start("storage", StorageReady);
    // Its first act is to make its containers; a storage client that finds nobody there waits for seconds.
    const workspaceReady = start("workspace", WorkspaceReady, storageReady);
    // Node reads the authority when it starts, and only the workspace makes one: the first start has to wait for it.
    const authority = existsSync(plan.caFile) ? undefined : workspaceReady;
    const [storage, workspace, host] = await Promise.all([
      storageReady,
      workspaceReady,
      Promise.resolve(authority).then(() => start("host", HostReady)),
    ]);
    folder.announce({ url: host.url, key: hostKeys.default });
    return {
      url: host.url,
      key: hostKeys.default,
      home,
      workspace: {
        url: workspace.url,
        mlflowUrl: workspace.mlflowUrl,
        caFile: workspace.caFile,
        token: folder.secrets.token,
      },
      storage: { url: storage.url, connectionString: plan.connectionString },
      readyMs,
      pids: () => ({ storage: pidOf("storage"), workspace: pidOf("workspace"), host: pidOf("host") }),
      stop,
      failed: Promise.race([...children.values()].map((child) => child.failed)),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The stack that serves from `home`, if one does: its process holds the folder and its host answers within 2 s.
 * `key` opens its API.
 */
export async function findStack(home: string): Promise<{ url: string; key: string; pid: number } | undefined> {
  const stack = readStackFile(resolve(home));
  if (stack?.url === undefined || stack.key === undefined) return undefined;
  const { url, key, pid } = stack;
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer === undefined ? undefined : { url, key, pid };
}
