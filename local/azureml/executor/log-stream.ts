// Carries a growing file to an append blob while a job runs. The blob appears with the first byte; after a restart it
// goes on where the blob ends, which the blob itself knows.
import { open } from "node:fs/promises";
import type { AppendBlobClient, ContainerClient } from "@azure/storage-blob";
import { within } from "./data-access.ts";

export interface LogStream {
  /** Carries the rest and ends. Never throws: a job does not fail for its log. */
  finish(): Promise<void>;
  /** Ends at once. */
  stop(): void;
}

export interface LogStreamOptions {
  readonly file: string;
  readonly container: ContainerClient;
  readonly blobName: string;
  /** Whether an earlier executor may have carried the beginning; else what is there is written over. */
  readonly isContinued: boolean;
  readonly onError: (error: unknown) => void;
}

const shortestMs = 500;
// An append blob takes 50,000 blocks: a long job's log is carried less often, so that days fit.
const ageDivisor = 5000;
const chunkBytes = 4 * 1024 * 1024;
const requestSeconds = 60;

export function startLogStream({ file, container, blobName, isContinued, onError }: LogStreamOptions): LogStream {
  const client = container.getAppendBlobClient(blobName);
  const stopping = new AbortController();
  const startedAt = Date.now();
  let offset = isContinued ? undefined : 0;
  let hasBlob = false;
  let timer: NodeJS.Timeout | undefined;
  let carrying: Promise<void> = Promise.resolve();

  async function carry(): Promise<void> {
    if (offset === undefined) {
      offset = await lengthOf(client, within(stopping.signal, requestSeconds));
      hasBlob = offset > 0;
    }
    const handle = await open(file, "r").catch(() => undefined);
    if (handle === undefined) return;
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(size - offset, 0)));
      while (offset < size) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
        if (bytesRead === 0) break;
        const abortSignal = within(stopping.signal, requestSeconds);
        if (!hasBlob)
          await client.create({ abortSignal, blobHTTPHeaders: { blobContentType: "text/plain; charset=utf-8" } });
        hasBlob = true;
        // The position makes a repeated request harmless.
        await client.appendBlock(buffer.subarray(0, bytesRead), bytesRead, {
          abortSignal,
          conditions: { appendPosition: offset },
        });
        offset += bytesRead;
      }
    } catch (error) {
      offset = undefined;
      throw error;
    } finally {
      await handle.close();
    }
  }

  function schedule(): void {
    timer = setTimeout(
      () => {
        carrying = carry()
          .catch(onError)
          .then(() => {
            if (!stopping.signal.aborted && timer !== undefined) schedule();
          });
      },
      Math.max(shortestMs, (Date.now() - startedAt) / ageDivisor),
    );
  }
  schedule();

  return {
    async finish() {
      clearTimeout(timer);
      timer = undefined;
      await carrying;
      await carry()
        .catch(() => carry())
        .catch(onError);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      stopping.abort();
    },
  };
}

async function lengthOf(client: AppendBlobClient, abortSignal: AbortSignal): Promise<number> {
  try {
    return (await client.getProperties({ abortSignal })).contentLength ?? 0;
  } catch (error) {
    if (typeof error === "object" && error !== null && "statusCode" in error && error.statusCode === 404) return 0;
    throw error;
  }
}
