// The files a command left in its outputs, in the order they were last touched.
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

export interface OutputFile {
  readonly file: string;
  /** Below the folder that was listed, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Nanoseconds. Of the inode and not of the content: a copied or unpacked file carries somebody else's mtime. */
  readonly changedAt: bigint;
}

/**
 * Every file below `folder`; links to files count as what they lead to, links to folders, pipes and sockets not at all.
 * Empty when there is no such folder.
 */
export async function listFiles(folder: string): Promise<OutputFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => describeFile(join(entry.parentPath, entry.name), folder)),
  );
  return found.filter((file) => file !== undefined);
}

/** One file, or undefined when there is none. */
export async function describeFile(file: string, folder: string): Promise<OutputFile | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  const path = relative(folder, file).replaceAll(sep, "/");
  return { file, path, size: Number(found.size), changedAt: found.ctimeNs };
}
