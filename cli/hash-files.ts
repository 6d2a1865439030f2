// The files of a local folder, each with its size and SHA-256, read once and in little memory.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface LocalFile {
  /** Inside the upload, with `/`. */
  readonly path: string;
  /** On this machine. */
  readonly localPath: string;
}

export interface HashedFile extends LocalFile {
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Every file under `path`, or `path` itself when it is one; links are followed. Sorted by name. */
export async function listLocalFiles(path: string): Promise<LocalFile[]> {
  if ((await stat(path)).isFile()) return [{ path: basename(path), localPath: path }];
  const names = await readdir(path, { recursive: true });
  const files: LocalFile[] = [];
  for (const name of names.toSorted()) {
    const localPath = join(path, name);
    if ((await stat(localPath)).isFile()) files.push({ path: name.split("\\").join("/"), localPath });
  }
  return files;
}

export async function hashFile(file: LocalFile): Promise<HashedFile> {
  const hash = createHash("sha256");
  let size = 0;
  await pipeline(
    createReadStream(file.localPath, { highWaterMark: 1 << 20 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        size += chunk.byteLength;
        hash.update(chunk);
      }
    },
  );
  return { ...file, size, sha256: hash.digest("hex") };
}
