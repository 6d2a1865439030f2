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
