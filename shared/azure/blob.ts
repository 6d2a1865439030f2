// Blobs of the workspace's datastores. Keys come from the workspace where it keeps them, else the app's own identity is used.
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { TokenCredential } from "@azure/core-auth";
import { isRestError } from "@azure/core-rest-pipeline";
import {
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { FileVersion } from "../domain/data-identity.ts";
import { MlpipeError } from "../errors.ts";
import type { DatastorePlace, Ml } from "./ml.ts";
import { once } from "./ml-client.ts";

export interface BlobFile {
  /** Relative to the folder that was listed. */
  readonly path: string;
  readonly size: number;
  readonly lastModified: string;
  readonly contentType: string;
}

export interface BlobContent {
  readonly stream: Readable;
  readonly contentType: string;
}

export type Blobs = ReturnType<typeof createBlobs>;

/** Tries are short and few: an activity is retried as a whole. */
const clientOptions = {
  retryOptions: {
    maxTries: 4,
    tryTimeoutInMs: 60_000,
    retryDelayInMs: 200,
    maxRetryDelayInMs: 5_000,
  },
};

interface OpenStore {
  readonly place: DatastorePlace;
  readonly service: BlobServiceClient;
  readonly container: ContainerClient;
}

/**
 * @param ml the workspace whose datastores are used
 * @param credential used for datastores without a key of their own
 */
export function createBlobs(ml: Ml, credential: TokenCredential) {
  const stores = new Map<string, () => Promise<OpenStore>>();

  async function connect(name: string | undefined): Promise<OpenStore> {
    const place = await ml.datastore(name);
    const secret = place.credentialsType === "None" ? undefined : await ml.datastoreSecret(place.name);
    const service =
      secret?.kind === "accountKey"
        ? new BlobServiceClient(
            place.accountUrl,
            new StorageSharedKeyCredential(place.accountName, secret.key),
            clientOptions,
          )
        : secret?.kind === "sas"
          ? new BlobServiceClient(`${place.accountUrl}?${secret.token.replace(/^\?/, "")}`, undefined, clientOptions)
          : new BlobServiceClient(place.accountUrl, credential, clientOptions);
    return { place, service, container: service.getContainerClient(place.container) };
  }

  /** A datastore by name; the empty name is the workspace's default. */
  function open(name = ""): Promise<OpenStore> {
    let store = stores.get(name);
    if (store === undefined) {
      store = once(() => connect(name === "" ? undefined : name));
      stores.set(name, store);
    }
    return store();
  }

  return {
    /** @returns `azureml://datastores/{default}/paths/{path}` */
    async uriOf(path: string): Promise<string> {
      return `azureml://datastores/${(await open()).place.name}/paths/${path}`;
    },

    /** @returns the blob's plain URL, unsigned */
    async urlOf(path: string): Promise<string> {
      const { container } = await open();
      return `${container.url.split("?")[0]}/${path.split("/").map(encodeURIComponent).join("/")}`;
    },

    /** Host, container and datastore of the default store: events are compared with them. */
    async defaultStore(): Promise<DatastorePlace> {
      return (await open()).place;
    },

    /** Host, container and name of a datastore; the default one when `datastore` is absent. */
    async store(datastore?: string): Promise<DatastorePlace> {
      return (await open(datastore)).place;
    },

    /** The container of a datastore, for what is not done with single blobs. */
    async container(datastore?: string): Promise<ContainerClient> {
      return (await open(datastore)).container;
    },

    async readText(path: string, datastore?: string): Promise<string | undefined> {
      const { container } = await open(datastore);
      return undefinedWhenMissing(async () => {
        // One request: `downloadToBuffer` asks for the size first, and cuts what is written over in between.
        const { readableStreamBody: body } = await container.getBlobClient(path).download();
        return body === undefined ? "" : (await buffer(body)).toString("utf8");
      });
    },

    /**
     * Writes a blob that must not exist yet.
     *
     * @returns false when it does, and then nothing is changed
     */
    async createText(path: string, text: string, contentType = "application/json"): Promise<boolean> {
      const { container } = await open();
      try {
        await container.getBlockBlobClient(path).upload(text, Buffer.byteLength(text), {
          conditions: { ifNoneMatch: "*" },
          blobHTTPHeaders: { blobContentType: contentType },
        });
        return true;
      } catch (error) {
        if (isRestError(error) && (error.statusCode === 409 || error.statusCode === 412)) return false;
        throw error;
      }
    },

    async write(path: string, content: Uint8Array): Promise<void> {
      const { container } = await open();
      await container.getBlockBlobClient(path).uploadData(content);
    },

    /** Writes a blob, in place of what may be there. */
    async writeText(path: string, text: string, contentType = "application/json"): Promise<void> {
      const { container } = await open();
      await container.getBlockBlobClient(path).upload(text, Buffer.byteLength(text), {
        blobHTTPHeaders: { blobContentType: contentType },
      });
    },

    /** Files below `folder`, at most `limit`. */
    async list(folder: string, limit = 10_000, datastore?: string): Promise<BlobFile[]> {
      const { container } = await open(datastore);
      const prefix = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
      const files: BlobFile[] = [];
      for await (const blob of container.listBlobsFlat({ prefix })) {
        files.push({
          path: blob.name.slice(prefix.length),
          size: blob.properties.contentLength ?? 0,
          lastModified: blob.properties.lastModified.toISOString(),
          contentType: blob.properties.contentType ?? "application/octet-stream",
        });
        if (files.length >= limit) break;
      }
      return files;
    },

    /**
     * The files below a folder as the store knows their content, in the order of their names.
     *
     * @returns undefined when there are more than `limit`
     */
    async versions(folder: string, limit: number, datastore?: string): Promise<FileVersion[] | undefined> {
      const { container } = await open(datastore);
      const prefix = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
      const files: FileVersion[] = [];
      // The metadata tells which of the names are folders, where the account has folders at all.
      for await (const { name, properties, metadata } of container.listBlobsFlat({ prefix, includeMetadata: true })) {
        if (name.endsWith("/") || metadata?.["hdi_isfolder"] === "true") continue;
        if (files.length >= limit) return undefined;
        files.push(toFileVersion(name.slice(prefix.length), properties));
      }
      return files;
    },

    /** Whole names of the blobs below `prefix`, or undefined when there are more than `limit` (at most 5,000): one call. */
    async names(prefix: string, limit: number): Promise<Set<string> | undefined> {
      const { container } = await open();
      const page = await container.listBlobsFlat({ prefix }).byPage({ maxPageSize: limit }).next();
      if (page.done === true) return new Set();
      const { segment, continuationToken = "" } = page.value;
      return continuationToken === "" ? new Set(segment.blobItems.map(({ name }) => name)) : undefined;
    },

    /** The one file at `path`, or undefined when there is none. */
    async version(path: string, datastore?: string): Promise<FileVersion | undefined> {
      const { container } = await open(datastore);
      const properties = await undefinedWhenMissing(() => container.getBlobClient(path).getProperties());
      return properties === undefined ? undefined : toFileVersion(path.slice(path.lastIndexOf("/") + 1), properties);
    },

    /** The one file at `path` as a list, empty when there is none. */
    async listFile(path: string, datastore?: string): Promise<BlobFile[]> {
      const { container } = await open(datastore);
      const properties = await undefinedWhenMissing(() => container.getBlobClient(path).getProperties());
      if (properties === undefined) return [];
      const { contentLength = 0, lastModified = new Date(0), contentType = "application/octet-stream" } = properties;
      return [
        {
          path: path.slice(path.lastIndexOf("/") + 1),
          size: contentLength,
          lastModified: lastModified.toISOString(),
          contentType,
        },
      ];
    },

    /** Size in bytes, or undefined when there is no such blob. */
    async size(path: string, datastore?: string): Promise<number | undefined> {
      const { container } = await open(datastore);
      return undefinedWhenMissing(async () => (await container.getBlobClient(path).getProperties()).contentLength ?? 0);
    },

    /** `count` bytes from `offset` (all when absent) as a stream, or undefined when there is no such blob. */
    async read(path: string, offset = 0, count?: number, datastore?: string): Promise<BlobContent | undefined> {
      const { container } = await open(datastore);
      const download = await undefinedWhenMissing(() => container.getBlobClient(path).download(offset, count));
      if (download?.readableStreamBody === undefined) return undefined;
      // The storage SDK types it for browsers too; in Node it is a Readable.
      const stream = download.readableStreamBody as Readable;
      return { stream, contentType: download.contentType ?? "application/octet-stream" };
    },

    /**
     * A signature that lets its holder create blobs in a datastore's container (the default one's when absent) for half an hour.
     *
     * @throws MlpipeError `Unavailable` when the identity may not sign
     */
    async uploadSignature(datastore?: string): Promise<{ containerUrl: string; sas: string; expires: string }> {
      const { place, service, container } = await open(datastore);
      const startsOn = new Date(Date.now() - 5 * 60_000);
      const expiresOn = new Date(Date.now() + 30 * 60_000);
      const values = {
        containerName: place.container,
        permissions: ContainerSASPermissions.parse("cw"),
        startsOn,
        expiresOn,
        protocol: place.accountUrl.startsWith("https:") ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
      };
      const { credential: own } = service;
      const query =
        own instanceof StorageSharedKeyCredential
          ? generateBlobSASQueryParameters(values, own)
          : generateBlobSASQueryParameters(
              values,
              await service.getUserDelegationKey(startsOn, expiresOn),
              place.accountName,
            );
      return {
        containerUrl: container.url.split("?")[0] ?? container.url,
        sas: query.toString(),
        expires: expiresOn.toISOString(),
      };
    },
  };
}

interface BlobFacts {
  readonly contentLength?: number | undefined;
  readonly contentMD5?: Uint8Array | undefined;
  readonly etag?: string | undefined;
  readonly blobType?: string | undefined;
}

function toFileVersion(path: string, { contentLength = 0, contentMD5, etag = "", blobType }: BlobFacts): FileVersion {
  // A block blob's hash is as old as its content; of the other kinds it may be older (see domain/data-identity.ts).
  const isKnown = blobType === "BlockBlob" && contentMD5 !== undefined && contentMD5.byteLength > 0;
  return {
    path,
    size: contentLength,
    etag: etag.replaceAll('"', ""),
    ...(isKnown ? { md5: Buffer.from(contentMD5).toString("hex") } : {}),
  };
}

export async function undefinedWhenMissing<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (isRestError(error) && error.statusCode === 404) return undefined;
    if (isRestError(error) && (error.statusCode === undefined || error.statusCode >= 500)) {
      throw new MlpipeError("Unavailable", "The blob store is not answering", { cause: error });
    }
    throw error;
  }
}
