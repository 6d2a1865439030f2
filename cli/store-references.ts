// What a document names on this machine goes into the store; the document then names what lies there.
import { resolve } from "node:path";
import type { LocalReference } from "#shared/domain/load-pipeline.ts";
import { snapshotFiles } from "#shared/domain/snapshot.ts";
import { createFileSource } from "#shared/files.ts";
import type { Store } from "./store-files.ts";
import { shortPath } from "./views/short-path.ts";

/** Placeholder -> where its content lies. */
export async function storeAll(
  references: readonly LocalReference[],
  store: Store,
): Promise<Record<string, { uri: string; hash: string }>> {
  const files = createFileSource();
  const uris: Record<string, { uri: string; hash: string }> = {};
  for (const reference of references) {
    const found = await snapshotFiles(reference, files);
    const locals = found.map(({ path, source }) => ({ path, localPath: source }));
    uris[reference.token] = await store(shortPath(resolve(reference.path)), locals);
  }
  return uris;
}
