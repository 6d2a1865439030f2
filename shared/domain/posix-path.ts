// Posix paths without `node:path`, which this folder may not use.

/** `base` with `path` applied: `.` and `..` resolved, an absolute `path` wins. */
export function joinPath(base: string, path: string): string {
  const joined = path.startsWith("/") || base === "" ? path : `${base}/${path}`;
  const parts: string[] = [];
  for (const part of joined.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !joined.startsWith("/")) parts.push(part);
  }
  const text = parts.join("/");
  if (joined.startsWith("/")) return `/${text}`;
  return text === "" ? "." : text;
}

/** The folder that holds `path`; `.` for a bare name. */
export function folderOf(path: string): string {
  return joinPath(path, "..");
}

/** The last part of `path`. */
export function nameOf(path: string): string {
  return joinPath("", path).split("/").at(-1) ?? path;
}

/** `path` as a file in `folder` writes it: `./x`, `../y`. Both are absolute, or relative to the same place. */
export function relativePath(folder: string, path: string): string {
  const from = partsOf(folder);
  const to = partsOf(path);
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) common += 1;
  const up = from.slice(common).map(() => "..");
  return [...(up.length === 0 ? ["."] : up), ...to.slice(common)].join("/");
}

function partsOf(path: string): string[] {
  return joinPath("", path)
    .split("/")
    .filter((part) => part !== ".");
}
