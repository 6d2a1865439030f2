// The four idx files of an image set from a public web address.
import { createWriteStream } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MlpipeError } from "#shared/errors.ts";

export const idxFiles = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
] as const;

const fileTimeoutMilliseconds = 10 * 60_000;
const headTimeoutMilliseconds = 3_000;

/** Whether the set is there and its server answers within three seconds. */
export async function isReachable(baseUrl: string): Promise<boolean> {
  const signal = AbortSignal.timeout(headTimeoutMilliseconds);
  const response = await fetch(urlOf(baseUrl, `${idxFiles[0]}.gz`), { method: "HEAD", signal }).catch(() => undefined);
  return response?.ok === true;
}

/** Whether the folder already holds the four files, gzipped or not. */
export async function hasDataset(folder: string): Promise<boolean> {
  const exists = async (name: string) => (await stat(join(folder, name)).catch(() => undefined))?.isFile() === true;
  for (const name of idxFiles) if (!(await exists(`${name}.gz`)) && !(await exists(name))) return false;
  return true;
}

/**
 * Downloads what the folder does not hold yet.
 * @throws MlpipeError `NotFound` when a file is neither there with `.gz` nor without, `Unavailable` when it breaks off.
 */
export async function downloadDataset(baseUrl: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(idxFiles.map((name) => downloadOne(baseUrl, name, folder)));
}

async function downloadOne(baseUrl: string, name: string, folder: string): Promise<void> {
  for (const fileName of [`${name}.gz`, name]) {
    const target = join(folder, fileName);
    if ((await stat(target).catch(() => undefined)) !== undefined) return;
    const url = urlOf(baseUrl, fileName);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(fileTimeoutMilliseconds) });
      if (response.status === 404 || response.status === 403) continue;
      if (!response.ok || response.body === null) throw new Error(`it answers ${response.status}`);
      const part = `${target}.part`;
      await pipeline(Readable.fromWeb(response.body), createWriteStream(part));
      await rename(part, target);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MlpipeError("Unavailable", `${withoutQuery(url)} cannot be downloaded: ${reason}`, { cause: error });
    }
  }
  throw new MlpipeError("NotFound", `${withoutQuery(urlOf(baseUrl, ""))} has neither ${name}.gz nor ${name}`);
}

/** The query stays: it may be a signature that opens the files. */
function urlOf(baseUrl: string, fileName: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${fileName}`;
  return url;
}

function withoutQuery({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
