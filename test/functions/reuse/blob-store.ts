// A blob store in memory, with what reuse asks of the real one: versions that change with every write, and hashes that the store
// keeps of some writes and not of others.
import { createHash } from "node:crypto";
import type { Blobs } from "#shared/azure/blob.ts";
import type { FileVersion } from "#shared/domain/data-identity.ts";

interface Blob {
  readonly text: string;
  readonly etag: string;
  readonly md5?: string;
}

export function createBlobStore() {
  const blobs = new Map<string, Blob>();
  /** Calls by method. */
  const calls: Record<string, number> = {};
  let writes = 0;

  function put(path: string, text: string, isHashed = true): void {
    const md5 = createHash("md5").update(text).digest("hex");
    blobs.set(path, { text, etag: `v${(writes += 1)}`, ...(isHashed ? { md5 } : {}) });
  }

  function toVersion(path: string, { text, etag, md5 }: Blob): FileVersion {
    return { path, size: text.length, etag, ...(md5 === undefined ? {} : { md5 }) };
  }

  const below = (prefix: string) =>
    [...blobs].filter(([path]) => path.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const count = (name: string) => (calls[name] = (calls[name] ?? 0) + 1);

  const client = {
    defaultStore: () => Promise.resolve({ name: "store" }),
    async readText(path: string) {
      count("readText");
      return blobs.get(path)?.text;
    },
    async writeText(path: string, text: string) {
      count("writeText");
      put(path, text);
    },
    async createText(path: string, text: string) {
      count("createText");
      if (blobs.has(path)) return false;
      put(path, text);
      return true;
    },
    async list(prefix: string) {
      count("list");
      return below(prefix).map(([path]) => ({ path: path.slice(prefix.length) }));
    },
    async names(prefix: string, limit: number) {
      count("names");
      const found = below(prefix).map(([path]) => path);
      return found.length > limit ? undefined : new Set(found);
    },
    async version(path: string) {
      count("version");
      const blob = blobs.get(path);
      return blob === undefined ? undefined : toVersion(path.slice(path.lastIndexOf("/") + 1), blob);
    },
    async versions(folder: string, limit: number) {
      count("versions");
      const prefix = folder.endsWith("/") ? folder : `${folder}/`;
      const found = below(prefix);
      return found.length > limit ? undefined : found.map(([path, blob]) => toVersion(path.slice(prefix.length), blob));
    },
  };

  return {
    calls,
    put,
    remove: (path: string) => blobs.delete(path),
    text: (path: string) => blobs.get(path)?.text,
    paths: (prefix: string) => below(prefix).map(([path]) => path),
    // Only the methods above are called by what is under test.
    client: client as unknown as Blobs,
  };
}
