// Pipelines deployed with the app: files below the pipelines folder, and what they need uploaded once by content.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Blobs } from "#shared/azure/blob.ts";
import { uploadFolder } from "#shared/domain/layout.ts";
import {
  type LoadResult,
  loadPipeline,
  type LocalReference,
  type PipelineDocument,
  withUploads,
} from "#shared/domain/load-pipeline.ts";
import { snapshotFiles, snapshotHash } from "#shared/domain/snapshot.ts";
import { type Issue, MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";

const extensions = [".yml", ".yaml"];
const completeMarker = ".complete";

export type Pipelines = ReturnType<typeof createPipelines>;

export function createPipelines({ folder, blobs }: { folder: string; blobs: Blobs }) {
  const files = createFileSource();
  /** Snapshots that this process knows to be in the store. */
  const uploaded = new Map<string, Promise<{ uri: string; hash: string }>>();

  async function names(): Promise<string[]> {
    const entries = await readdir(folder).catch(() => []);
    return entries
      .filter((entry) => extensions.includes(extname(entry)))
      .map((entry) => entry.slice(0, -extname(entry).length))
      .toSorted();
  }

  async function pathOf(name: string): Promise<string> {
    const entries = await readdir(folder).catch(() => []);
    const found = entries.find(
      (entry) => extensions.includes(extname(entry)) && entry.slice(0, -extname(entry).length) === name,
    );
    if (found === undefined) {
      const known = (await names()).join(", ");
      throw new MlpipeError(
        "NotFound",
        `There is no pipeline ${name} in this app; it has ${known === "" ? "none" : known}`,
      );
    }
    return join(folder, found);
  }

  async function upload(reference: LocalReference): Promise<{ uri: string; hash: string }> {
    const found = await snapshotFiles(reference, files);
    const contents = await Promise.all(
      found.map(async ({ path, source }) => {
        const content = await readFile(source);
        return {
          path,
          content,
          size: content.byteLength,
          sha256: createHash("sha256").update(content).digest("hex"),
        };
      }),
    );
    const hash = await snapshotHash(contents);
    const known = uploaded.get(hash);
    if (known !== undefined) return known;
    const sending = send(hash, contents).catch((error: unknown) => {
      uploaded.delete(hash);
      throw error;
    });
    uploaded.set(hash, sending);
    return sending;
  }

  async function send(
    hash: string,
    contents: readonly { path: string; content: Uint8Array }[],
  ): Promise<{ uri: string; hash: string }> {
    const target = uploadFolder(hash);
    const uri = await blobs.uriOf(target);
    // The marker stands beside the folder: what lies inside is the snapshot and nothing else.
    const marker = `${target.slice(0, -1)}${completeMarker}`;
    if ((await blobs.size(marker)) !== undefined) return { uri, hash };
    await Promise.all(contents.map(({ path, content }) => blobs.write(`${target}${path}`, content)));
    await blobs.createText(marker, "{}");
    return { uri, hash };
  }

  return {
    names,

    /** A deployed pipeline as one document, its code in the blob store. @throws MlpipeError `NotFound`, or `InvalidRequest` with every issue */
    async load(name: string): Promise<{ document: PipelineDocument; warnings: readonly Issue[] }> {
      return this.complete(await loadPipeline(await pathOf(name), files));
    },

    /** The same for a file anywhere in the app's folder. @param path absolute */
    async loadFile(path: string): Promise<{ document: PipelineDocument; warnings: readonly Issue[] }> {
      return this.complete(await loadPipeline(path, files));
    },

    /** The source of a deployed pipeline. */
    async source(name: string): Promise<string> {
      return readFile(await pathOf(name), "utf8");
    },

    /** Uploads what a loaded pipeline needs. @throws MlpipeError `InvalidRequest` with every issue of the load */
    async complete({
      document,
      localReferences,
      issues,
    }: LoadResult): Promise<{ document: PipelineDocument; warnings: readonly Issue[] }> {
      const errors = issues.filter(({ severity }) => severity === "error");
      if (document === undefined || errors.length > 0) {
        throw new MlpipeError("InvalidRequest", errors[0]?.message ?? "The pipeline cannot be read", { issues });
      }
      const uris = await Promise.all(
        localReferences.map(async (reference) => [reference.token, await upload(reference)] as const),
      );
      return { document: withUploads(document, Object.fromEntries(uris)), warnings: issues };
    },
  };
}
