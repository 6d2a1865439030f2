import { isAbsolute, relative } from "node:path";

/** The path as the reader would type it: relative below the working directory, absolute elsewhere, a URI as it is. */
export function shortPath(path: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(path)) return path;
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short || ".";
}
