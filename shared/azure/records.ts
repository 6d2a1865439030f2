// Small JSON documents of ours in the workspace's default container. Every write is guarded by the document's ETag, so two
// writers never overwrite each other unseen; what a list must show travels in the blob's metadata, so that a page of a list is
// one call.
import { isRestError } from "@azure/core-rest-pipeline";
import { MlpipeError } from "../errors.ts";
import { type Blobs, undefinedWhenMissing } from "./blob.ts";

export interface TaggedText {
  readonly text: string;
  readonly etag: string;
}

export interface RecordEntry {
  /** Whole path in the container. */
  readonly path: string;
  /** ASCII values by lower-case name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly lastModified: Date;
  /** Another whenever the document is another. Spelt as the list spells it: no tag for `replace`. */
  readonly version: string;
}

export interface RecordPage {
  readonly entries: readonly RecordEntry[];
  /** Where the next page begins; absent on the last one. */
  readonly continuation?: string;
}

export type Records = ReturnType<typeof createRecords>;

export function createRecords(blobs: Pick<Blobs, "container">) {
  return {
    /** The document with the tag that `replace` takes, or undefined when there is none. */
    async read(path: string): Promise<TaggedText | undefined> {
      const container = await blobs.container();
      return undefinedWhenMissing(async () => {
        const download = await container.getBlobClient(path).download();
        const chunks: Buffer[] = [];
        for await (const chunk of download.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
        return { text: Buffer.concat(chunks).toString("utf8"), etag: download.etag ?? "" };
      });
    },

    /**
     * Writes a document that is still as it was read.
     *
     * @param etag tag of what was read; undefined when there was nothing
     * @param metadata ASCII values, at most 8 KB in all
     * @returns false when somebody else has written meanwhile, and then nothing is changed
     */
    async replace(
      path: string,
      text: string,
      etag: string | undefined,
      metadata: Record<string, string> = {},
    ): Promise<boolean> {
      const container = await blobs.container();
      try {
        await container.getBlockBlobClient(path).upload(text, Buffer.byteLength(text), {
          conditions: etag === undefined ? { ifNoneMatch: "*" } : { ifMatch: etag },
          blobHTTPHeaders: { blobContentType: "application/json" },
          metadata,
        });
        return true;
      } catch (error) {
        if (isRestError(error) && (error.statusCode === 409 || error.statusCode === 412)) return false;
        throw error;
      }
    },

    /** @returns false when there was none */
    async remove(path: string): Promise<boolean> {
      const container = await blobs.container();
      return (await undefinedWhenMissing(() => container.getBlobClient(path).delete())) !== undefined;
    },

    /** One page of the documents whose paths begin with `prefix`, in the order of their names. */
    async page(prefix: string, limit: number, continuation?: string): Promise<RecordPage> {
      const container = await blobs.container();
      const pages = container
        .listBlobsFlat({ prefix, includeMetadata: true })
        .byPage({ maxPageSize: limit, ...(continuation === undefined ? {} : { continuationToken: continuation }) });
      const next = await pages.next().catch((error: unknown) => {
        if (continuation === undefined || !isRestError(error) || error.statusCode !== 400) throw error;
        throw new MlpipeError("InvalidRequest", "continuation: it is not one that a page before this has given", {
          cause: error,
        });
      });
      if (next.done === true) return { entries: [] };
      const { segment, continuationToken } = next.value;
      return {
        entries: segment.blobItems.map(({ name, metadata = {}, properties }) => ({
          path: name,
          metadata,
          lastModified: properties.lastModified,
          version: properties.etag,
        })),
        ...(continuationToken === undefined || continuationToken === "" ? {} : { continuation: continuationToken }),
      };
    },

    /** Names of the folders right below `prefix`, which ends with a slash; at most 5,000. */
    async folders(prefix: string): Promise<string[]> {
      const container = await blobs.container();
      const page = await container.listBlobsByHierarchy("/", { prefix }).byPage({ maxPageSize: 5_000 }).next();
      const prefixes = page.done === true ? [] : (page.value.segment.blobPrefixes ?? []);
      return prefixes.map(({ name }) => name.slice(prefix.length, -1));
    },
  };
}
