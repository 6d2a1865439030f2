// Local files in the workspace's store, by content: what it already holds is not sent again.
import type { UploadRequest } from "#shared/api.ts";
import { snapshotHash } from "#shared/domain/snapshot.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Client } from "./client.ts";
import { type HashedFile, type LocalFile, hashFile } from "./hash-files.ts";
import type { Terminal } from "./terminal.ts";
import { formatBytes } from "./views/format-bytes.ts";

/** Where the files' content lies; `label` is what the reader calls them. */
export type Store = (label: string, files: readonly LocalFile[]) => Promise<{ uri: string; hash: string }>;

const filesAtOnce = 4;
/** No network that is worth using is slower. */
const slowestBytesPerSecond = 50_000;

/** Says where the content would lie and sends nothing. */
export function createLocator(client: Client): Store {
  return async (_label, files) => {
    const request = await toRequest(await inBatches(files, hashFile));
    return { uri: (await client.requestUpload(request)).uri, hash: request.hash };
  };
}

/** Sends what the store does not hold. The store throws MlpipeError `Unavailable` when it cannot be written. */
export function createUploader(terminal: Terminal, client: Client): Store {
  return async (label, files) => {
    const hashed = await inBatches(files, hashFile);
    const request = await toRequest(hashed);
    const { uri, upload } = await client.requestUpload(request);
    if (upload === undefined) return { uri, hash: request.hash };

    const bytes = hashed.reduce((sum, { size }) => sum + size, 0);
    terminal.err(terminal.colorsFor(terminal.stderr).dim(`Uploading ${label} (${formatBytes(bytes)})`));
    await sendFiles(hashed, upload);
    const check = await client.requestUpload(request);
    if (check.upload !== undefined)
      throw new MlpipeError("Unavailable", `the store does not hold all of ${label}: try again`);
    return { uri: check.uri, hash: request.hash };
  };
}

type SizedFile = Omit<HashedFile, "sha256">;

interface Place {
  readonly url: string;
  readonly sas: string;
}

/** Writes files below a place, some at once. @throws as `sendFile` */
export async function sendFiles(files: readonly SizedFile[], place: Place): Promise<void> {
  await inBatches(files, (file) => sendFile(file, place));
}

/** @throws MlpipeError `Unavailable` naming the file, and never the signature */
export async function sendFile({ path, localPath, size }: SizedFile, { url, sas }: Place): Promise<void> {
  const { BlockBlobClient } = await import("@azure/storage-blob");
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const blob = new BlockBlobClient(`${url.replace(/\/$/, "")}/${encoded}?${sas.replace(/^\?/, "")}`);
  const abortSignal = AbortSignal.timeout(sendMilliseconds(size));
  await blob.uploadFile(localPath, { abortSignal }).catch((error: unknown) => {
    // The client's own error carries the signed URL, so it goes no further.
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new MlpipeError("Unavailable", `${localPath} cannot be written to the workspace's store${code}`);
  });
}

function sendMilliseconds(size: number): number {
  const longestTimer = 2 ** 31 - 1;
  return Math.min(longestTimer, 60_000 + Math.ceil((size / slowestBytesPerSecond) * 1000));
}

async function toRequest(hashed: readonly HashedFile[]): Promise<UploadRequest> {
  const files = hashed.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  return { hash: await snapshotHash(files), files };
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += filesAtOnce) {
    results.push(...(await Promise.all(items.slice(start, start + filesAtOnce).map(work))));
  }
  return results;
}
