// The keys callers must show. Made once per state folder; the file is the only place where they are written.
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostKeys } from "./contract.ts";

/**
 * Reads `host-keys.json` in `folder`, or creates it (mode 0600).
 * @throws when the file is there and does not hold the keys
 */
export function ensureHostKeys(folder: string): HostKeys {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "host-keys.json");
  return readKeys(file) ?? createKeys(file);
}

function readKeys(file: string): HostKeys | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  chmodSync(file, 0o600);
  const keys = parseKeys(text);
  if (keys === undefined) throw new Error(`${file} does not hold the host's keys. Delete it to have new ones made.`);
  return keys;
}

function createKeys(file: string): HostKeys {
  const keys: HostKeys = {
    master: createKey(),
    default: createKey(),
    system: {
      durabletask_extension: createKey(),
      eventgrid_extension: createKey(),
      blobs_extension: createKey(),
    },
  };
  // A link either puts the complete file there or finds that another process was first.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return keys;
  } catch (error) {
    const earlier = readKeys(file);
    if (earlier === undefined) throw error;
    return earlier;
  } finally {
    unlinkSync(draft);
  }
}

/** 256 bits, in letters that need no escaping in a URL. */
function createKey(): string {
  return randomBytes(32).toString("base64url");
}

function parseKeys(text: string): HostKeys | undefined {
  try {
    const keys = JSON.parse(text) as Partial<HostKeys> | null;
    const system = keys?.system;
    const all = [
      keys?.master,
      keys?.default,
      system?.durabletask_extension,
      system?.eventgrid_extension,
      system?.blobs_extension,
    ];
    return all.every((key) => typeof key === "string" && key.length >= 32) ? (keys as HostKeys) : undefined;
  } catch {
    return undefined;
  }
}
