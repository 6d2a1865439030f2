// What data is, wherever it lies: the hash of its files' names, sizes and contents. The store knows the content of a block blob
// (Content-MD5: computed by Put Blob, given to Put Block List, cleared by every write that does not give it); of other blobs
// it knows only the version (ETag), and then the place belongs to the identity.
import { parseDatastoreUri } from "./datastore-uri.ts";
import { textHash } from "./text-hash.ts";

export interface FileVersion {
  /** Below the folder; of data that is one file, the file's name. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal; absent when the store does not know it. */
  readonly md5?: string;
  readonly etag: string;
}

/**
 * The identity of data.
 *
 * @param uri where it lies
 * @param files all of it, in any order
 * @returns `content:` and 64 hex digits when every file's content is known, else `version:` and as many
 */
export async function identifyData(uri: string, files: readonly FileVersion[]): Promise<string> {
  const isContent = files.every(({ md5 }) => md5 !== undefined);
  const lines = files.map(({ path, size, md5, etag }) => JSON.stringify([path, size, md5 ?? etag])).toSorted();
  const text = isContent ? lines : [placeOf(uri), ...lines];
  return `${isContent ? "content" : "version"}:${await textHash(text.join("\n"))}`;
}

/** The same for every way to write a URI. */
function placeOf(uri: string): string {
  const place = parseDatastoreUri(uri);
  return place === undefined ? uri : `${place.datastore}/${place.path.replace(/\/$/, "")}`;
}
