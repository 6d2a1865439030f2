// Blobs kept by content, so that what a job wrote is not downloaded again for the next one. An entry is hard-linked into
// jobs; it carries the blob's size and time of change, so an entry that somebody wrote through is seen and dropped.
import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobClient } from "@azure/storage-blob";
import { within } from "./data-access.ts";
import type { Limiter } from "./limiter.ts";

/** A blob at one moment of its life. */
export interface BlobVersion {
  readonly account: string;
  readonly container: string;
  readonly name: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: Date;
}

export interface BlobCache {
  /** Puts the blob at `target`: `link` shares the cached file, read-only; `copy` may be written to. */
  place(
    blob: BlobVersion,
    client: BlobClient,
    target: string,
    how: "link" | "copy",
    signal: AbortSignal,
  ): Promise<void>;
  /** Takes over a file that was uploaded as `blob`; the file becomes read-only. */
  keep(blob: BlobVersion, file: string): Promise<void>;
  /** Drops what nobody read for `days`. */
  prune(days: number): Promise<void>;
}

const downloadSeconds = 6 * 3600;

export function createBlobCache(cacheFolder: string, limit: Limiter): BlobCache {
  const root = join(cacheFolder, "blobs");
  const downloads = new Map<string, Promise<void>>();

  function entryOf(blob: BlobVersion): string {
    const { account, container, name, etag, size, lastModified } = blob;
    const key = JSON.stringify([account, container, name, etag.replaceAll('"', ""), size, lastModified.getTime()]);
    const hash = createHash("sha256").update(key).digest("hex");
    return join(root, hash.slice(0, 2), hash.slice(2));
  }

  async function download(blob: BlobVersion, client: BlobClient, entry: string, signal: AbortSignal): Promise<void> {
    await mkdir(dirname(entry), { recursive: true });
    const draft = `${entry}.${randomBytes(4).toString("hex")}`;
    try {
      await client.downloadToFile(draft, 0, undefined, {
        abortSignal: within(signal, downloadSeconds),
        conditions: { ifMatch: blob.etag },
        maxRetryRequests: 3,
      });
      await publish(draft, entry, blob);
    } finally {
      await rm(draft, { force: true });
    }
  }

  async function ensure(blob: BlobVersion, client: BlobClient, entry: string, signal: AbortSignal): Promise<void> {
    if (await isIntact(entry, blob)) return;
    const underway = downloads.get(entry);
    if (underway !== undefined) {
      // Another job's download may be aborted with that job: then this one does it itself.
      await underway.catch(() => undefined);
      signal.throwIfAborted();
      return ensure(blob, client, entry, signal);
    }
    const started = limit(() => download(blob, client, entry, signal), signal);
    downloads.set(entry, started);
    try {
      await started;
    } finally {
      downloads.delete(entry);
    }
  }

  return {
    async place(blob, client, target, how, signal) {
      const entry = entryOf(blob);
      await ensure(blob, client, entry, signal);
      if (how === "link" && (await tryLink(entry, target))) return;
      await copyFile(entry, target, constants.COPYFILE_FICLONE);
      await chmod(target, how === "link" ? 0o444 : 0o644);
    },

    async keep(blob, file) {
      const entry = entryOf(blob);
      if (await isIntact(entry, blob)) return;
      await mkdir(dirname(entry), { recursive: true });
      const draft = `${entry}.${randomBytes(4).toString("hex")}`;
      if (await tryLink(file, draft)) await publish(draft, entry, blob);
    },

    async prune(days) {
      const oldest = Date.now() - days * 24 * 3600 * 1000;
      for (const folder of await readdir(root).catch(() => [])) {
        for (const name of await readdir(join(root, folder)).catch(() => [])) {
          const entry = join(root, folder, name);
          const { atimeMs, ctimeMs } = await stat(entry).catch(() => ({
            atimeMs: Infinity,
            ctimeMs: Infinity,
          }));
          if (Math.max(atimeMs, ctimeMs) < oldest) await rm(entry, { force: true });
        }
      }
    },
  };
}

async function publish(draft: string, entry: string, blob: BlobVersion): Promise<void> {
  await utimes(draft, new Date(), blob.lastModified);
  await chmod(draft, 0o444);
  await rename(draft, entry);
}

async function isIntact(entry: string, blob: BlobVersion): Promise<boolean> {
  const found = await stat(entry).catch(() => undefined);
  return found !== undefined && found.size === blob.size && Math.round(found.mtimeMs) === blob.lastModified.getTime();
}

/** False across file systems, or when a file has all the links it can have. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      (error.code === "EXDEV" || error.code === "EMLINK" || error.code === "EPERM")
    )
      return false;
    throw error;
  }
}
