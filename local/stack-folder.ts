// A stack's home: who holds it, where its servers listen and what opens their doors, kept from one start to the next.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { MlpipeError } from "#shared/errors.ts";
import { takeFolderLock } from "./folder-lock.ts";
import { findFreePorts, isPortFree } from "./free-ports.ts";

const portNames = ["host", "workspace", "mlflow", "storage", "azurite"] as const;
const Ports = z.record(z.enum(portNames), z.number().int());
export type Ports = z.infer<typeof Ports>;

const Secrets = z.object({
  /** Bearer token of the workspace and of `/_embedded`. */
  token: z.string(),
  accountName: z.string(),
  /** Base64. */
  accountKey: z.string(),
});
export type Secrets = z.infer<typeof Secrets>;

/** What a running stack says of itself. Absent URL and key: it is starting. */
const StackFile = z.object({
  pid: z.number().int(),
  /** ISO 8601. */
  since: z.string(),
  url: z.string().optional(),
  key: z.string().optional(),
});
export type StackFile = z.infer<typeof StackFile>;

export interface StackFolder {
  readonly home: string;
  readonly secrets: Secrets;
  choosePorts(): Promise<Ports>;
  /** Lets other processes find the stack. */
  announce(stack: { url: string; key: string }): void;
  release(): void;
}

const stackFile = (home: string) => join(home, "stack.json");
const lockFile = (home: string) => join(home, "stack.lock");

/**
 * Takes the folder for this process, making it (0700) where it is missing.
 * @throws MlpipeError `Conflict` naming the holder when a living process has it
 */
export function openStackFolder(home: string): StackFolder {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const lock = takeFolderLock(lockFile(home), 300);
  if (lock === undefined) throw new MlpipeError("Conflict", describeHolder(home));
  const since = new Date().toISOString();
  writePrivate(stackFile(home), { pid: process.pid, since });
  return {
    home,
    secrets: ensureSecrets(join(home, "secrets.json")),
    choosePorts: () => choosePorts(join(home, "ports.json")),
    announce: ({ url, key }) => writePrivate(stackFile(home), { pid: process.pid, since, url, key }),
    release() {
      rmSync(stackFile(home), { force: true });
      lock.release();
    },
  };
}

/** The stack that holds `home`, undefined when none does. */
export function readStackFile(home: string): StackFile | undefined {
  const stack = readJson(stackFile(home), StackFile);
  if (stack === undefined) return undefined;
  const lock = takeFolderLock(lockFile(home));
  lock?.release();
  return lock === undefined ? stack : undefined;
}

function describeHolder(home: string): string {
  const holder = readJson(stackFile(home), StackFile);
  if (holder === undefined)
    return `${home} is in use by another process that is just starting or ending. Try again in a moment.`;
  const { pid, since, url } = holder;
  const what = url === undefined ? "is starting" : `serves ${url}`;
  return `${home} is in use: process ${pid} holds it since ${since} and ${what}. Use that one, stop it, or choose another folder.`;
}

function ensureSecrets(file: string): Secrets {
  const kept = readJson(file, Secrets);
  if (kept !== undefined) {
    chmodSync(file, 0o600);
    return kept;
  }
  const secrets = {
    token: randomBytes(32).toString("base64url"),
    accountName: `mlpipe${randomBytes(4).toString("hex")}`,
    accountKey: randomBytes(64).toString("base64"),
  };
  writePrivate(file, secrets);
  return secrets;
}

// Addresses are part of what the parts remember of each other, so a port is only changed when somebody else has it.
async function choosePorts(file: string): Promise<Ports> {
  const kept = readJson(file, Ports);
  const fresh = await findFreePorts(portNames.length);
  const chosen: [string, number][] = await Promise.all(
    portNames.map(async (name, i) => {
      const port = kept?.[name];
      return [name, port !== undefined && (await isPortFree(port)) ? port : (fresh[i] ?? 0)];
    }),
  );
  const ports = Ports.parse(Object.fromEntries(chosen));
  writePrivate(file, ports);
  return ports;
}

/** Undefined when the file is missing, cut short or of another shape. */
function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function writePrivate(file: string, content: unknown): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
