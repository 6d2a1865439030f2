import { textHash } from "../text-hash.ts";
import type { FoundFile } from "./judge.ts";

/** The same for the same files in the same state, whatever the order they were listed in. */
export async function fingerprintOf(files: Iterable<Pick<FoundFile, "path" | "etag" | "size">>): Promise<string> {
  const lines = [...files].map(({ path, etag, size }) => JSON.stringify([path, etag, size]));
  return textHash(lines.toSorted().join("\n"));
}
