// A snapshot is the set of files a job's code (or a local input) consists of, known by the hash of its content.
import ignore from "ignore";
import { MlpipeError } from "../errors.ts";
import type { FileSource } from "./file-source.ts";
import type { LocalReference } from "./local-references.ts";
import { joinPath, nameOf } from "./posix-path.ts";
import { textHash } from "./text-hash.ts";

/** What no program needs and every checkout has different; `.amlignore` can take it back with `!`. */
const alwaysIgnored = [".git/", "__pycache__/", ".ipynb_checkpoints/", ".DS_Store", ".amlignore"];

export interface SnapshotFile {
  /** Where it lies in the snapshot. */
  readonly path: string;
  /** Where it is read from. */
  readonly source: string;
}

/** 64 hex digits that are the same for the same files, whatever their order. */
export async function snapshotHash(files: readonly { path: string; size: number; sha256: string }[]): Promise<string> {
  const lines = files.map(({ path, size, sha256 }) => JSON.stringify([path, size, sha256]));
  return textHash(lines.toSorted().join("\n"));
}

/**
 * The files of a local reference, sorted: those of its folder that `.amlignore` (or, without one, `.gitignore`) lets
 * through, and its additional includes, each under its own name.
 *
 * @throws MlpipeError `NotFound` when a path leads nowhere, `InvalidRequest` when nothing is left or two files would have
 * one path.
 */
export async function snapshotFiles(
  reference: Pick<LocalReference, "path" | "additionalIncludes">,
  files: FileSource,
): Promise<readonly SnapshotFile[]> {
  const found = new Map<string, string>();
  const add = ({ path, source }: SnapshotFile) => {
    const other = found.get(path);
    if (other !== undefined && other !== source) {
      throw new MlpipeError("InvalidRequest", `${source} and ${other} would both be \`${path}\` in the snapshot`);
    }
    found.set(path, source);
  };
  for (const file of await filesAt(reference.path, "", files)) add(file);
  for (const include of reference.additionalIncludes ?? []) {
    for (const file of await filesAt(include, nameOf(include), files)) add(file);
  }
  if (found.size === 0) throw new MlpipeError("InvalidRequest", `${reference.path} holds no file that is not ignored`);
  return [...found]
    .map(([path, source]) => ({ path, source }))
    .toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

async function filesAt(path: string, prefix: string, files: FileSource): Promise<SnapshotFile[]> {
  const kind = await files.kind(path);
  if (kind === undefined) throw new MlpipeError("NotFound", `there is no file or folder ${path}`);
  if (kind === "file") return [{ path: nameOf(path), source: path }];
  const rules = ignore().add(alwaysIgnored);
  const text =
    (await files.readText(joinPath(path, ".amlignore"))) ?? (await files.readText(joinPath(path, ".gitignore")));
  if (text !== undefined) rules.add(text);
  return ((await files.list(path)) ?? [])
    .filter((file) => !rules.ignores(file.path))
    .map((file) => ({
      path: prefix === "" ? file.path : `${prefix}/${file.path}`,
      source: joinPath(path, file.path),
    }));
}
