// The file source over a disk.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { type FileSource, type ListedFile, maxTextBytes } from "./domain/file-source.ts";
import { MlpipeError } from "./errors.ts";

const maxFiles = 100_000;

/** Files below `root`; absolute paths, and those that climb out with `..`, are read as they stand. */
export function createFileSource(root: string = process.cwd()): FileSource {
  const locate = (path: string) => resolve(root, path);

  async function list(folder: string): Promise<readonly ListedFile[] | undefined> {
    const start = locate(folder);
    if ((await statOf(start))?.isDirectory() !== true) return undefined;
    const found: ListedFile[] = [];
    await walk(start, "", new Set(), found);
    return found;
  }

  return {
    async readText(path) {
      const file = locate(path);
      const facts = await statOf(file);
      if (facts?.isFile() !== true) return undefined;
      if (facts.size > maxTextBytes) {
        throw new MlpipeError("TooLarge", `${path} is longer than the ${maxTextBytes / 1024 / 1024} MB that are read`);
      }
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
      } catch (error) {
        if (error instanceof TypeError)
          throw new MlpipeError("InvalidRequest", `${path} is not UTF-8 text; save it as UTF-8`, {
            cause: error,
          });
        throw new MlpipeError("InvalidRequest", `${path} cannot be read (${codeOf(error)})`, {
          cause: error,
        });
      }
    },

    list,

    async kind(path) {
      const facts = await statOf(locate(path));
      if (facts?.isDirectory() === true) return "folder";
      return facts?.isFile() === true ? "file" : undefined;
    },

    names: (folder) => readdir(locate(folder)).catch(() => []),
  };
}

/** Links are followed; a link to a folder that is being walked is not, since it would never end. */
async function walk(folder: string, prefix: string, open: Set<string>, found: ListedFile[]): Promise<void> {
  const real = await realpath(folder);
  if (open.has(real)) return;
  open.add(real);
  for (const name of (await readdir(folder)).toSorted()) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const facts = await statOf(join(folder, name));
    if (facts?.isDirectory() === true) await walk(join(folder, name), path, open, found);
    else if (facts?.isFile() === true) found.push({ path, size: facts.size });
    if (found.length > maxFiles)
      throw new MlpipeError("TooLarge", `${folder.split(sep).join("/")} holds more than ${maxFiles} files`);
  }
  open.delete(real);
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes(codeOf(error))) return undefined;
    throw new MlpipeError("InvalidRequest", `${path} cannot be read (${codeOf(error)})`, {
      cause: error,
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
