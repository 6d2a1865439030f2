// An MLTable file says which files a table consists of. The evaluating modes deliver those files; what it says of their rows is
// for a library in the job to do.
import { matchesGlob } from "node:path/posix";
import { parse } from "yaml";
import { DataAccessError } from "./data-access.ts";

export interface TableEntry {
  readonly kind: "file" | "folder";
  /** Relative to the table's folder, or a URI of its own. */
  readonly path: string;
  /** Which files of the folder belong to it, by their paths in it; absent for all. */
  readonly isIncluded?: (path: string) => boolean;
}

/**
 * The entries of `paths:`.
 * @param text content of the `MLTable` file
 * @throws DataAccessError when it is none, or names nothing.
 */
export function readTable(text: string): TableEntry[] {
  const table = parseTable(text);
  const paths = isMapping(table) ? table["paths"] : undefined;
  if (!Array.isArray(paths) || paths.length === 0)
    throw new DataAccessError("its MLTable file has no `paths`, so there is nothing to deliver");
  return (paths as unknown[]).map((entry) => {
    const { file, folder, pattern } = isMapping(entry) ? entry : {};
    if (typeof file === "string") return { kind: "file", path: withoutDot(file) };
    if (typeof folder === "string") return { kind: "folder", path: withoutDot(folder) };
    if (typeof pattern === "string") return patternEntry(withoutDot(pattern));
    throw new DataAccessError("an entry of its MLTable file's `paths` is neither `file` nor `folder` nor `pattern`");
  });
}

function parseTable(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new DataAccessError("its MLTable file is no YAML", { cause });
  }
}

/** The folder above the first wildcard, and those below it that match. */
function patternEntry(pattern: string): TableEntry {
  const wildcard = pattern.search(/[*?[{]/);
  if (wildcard < 0) return { kind: "file", path: pattern };
  const path = pattern.slice(0, pattern.lastIndexOf("/", wildcard) + 1);
  const glob = pattern.slice(path.length);
  return { kind: "folder", path, isIncluded: (file) => matchesGlob(file, glob) };
}

const withoutDot = (path: string) => path.replace(/^(?:\.\/)+/, "");

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
