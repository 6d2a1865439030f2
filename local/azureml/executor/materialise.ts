// Brings a job's data and code to this machine: mounts become read-only files shared with the cache, downloads and code
// become copies of their own.
import { chmod, mkdir } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ContainerClient } from "@azure/storage-blob";
import { isMlpipeError } from "#shared/errors.ts";
import type { BlobCache, BlobVersion } from "./blob-cache.ts";
import type { DatastoreResolver, JobInput } from "./contract.ts";
import { DataAccessError, toDataAccessError, withoutQuery, within } from "./data-access.ts";
import { readTable } from "./read-table.ts";

export interface Materialiser {
  /**
   * Value of an input in the command: text of a literal, URI in `Direct` mode, else the local path its data now has below `folder`.
   * @throws DataAccessError naming the input and its URI.
   */
  materialiseInput(name: string, input: JobInput, folder: string, signal: AbortSignal): Promise<string>;
  /** Copies a code snapshot's files into `folder`, executable. @throws DataAccessError */
  materialiseCode(uri: string, folder: string, signal: AbortSignal): Promise<void>;
}

export interface MaterialiserOptions {
  readonly datastores: DatastoreResolver;
  readonly cache: BlobCache;
  readonly fetchInput: (url: string, signal: AbortSignal) => Promise<Response>;
}

interface Place {
  readonly container: ContainerClient;
  /** Decoded, without a leading slash. */
  readonly path: string;
}

const requestSeconds = 120;
const transferSeconds = 6 * 3600;
const copiedModes = new Set(["Download", "EvalDownload", "ReadWriteMount"]);

export function createMaterialiser({ datastores, cache, fetchInput }: MaterialiserOptions): Materialiser {
  async function materialiseInput(name: string, input: JobInput, folder: string, signal: AbortSignal): Promise<string> {
    if (input.type === "literal") return input.value ?? "";
    const uri = input.uri ?? "";
    if (input.mode === "Direct") return uri;
    const how = copiedModes.has(input.mode ?? "") ? "copy" : "link";
    try {
      await mkdir(folder, { recursive: true });
      const place = locate(uri, input.type === "uri_file");
      if (input.type === "uri_file")
        return place === undefined ? await fetchFile(uri, folder, signal) : await placeFile(place, folder, how, signal);
      if (place === undefined)
        throw new DataAccessError(
          "an address on the web is one file and cannot be listed: declare the input as uri_file, or give a folder in a datastore or in blob storage",
        );
      // A model may be one file.
      if (input.type.endsWith("_model") && (await isBlob(place, signal)))
        return await placeFile(place, folder, how, signal);
      if (input.type === "mltable" && input.mode?.startsWith("Eval") === true)
        await placeTable(place, folder, how, signal);
      else await placeFolder(place, folder, how, signal);
      return folder;
    } catch (cause) {
      if (cause instanceof DataAccessError)
        throw new DataAccessError(`Input \`${name}\` (${withoutQuery(uri)}): ${cause.message}`, {
          cause,
        });
      throw toDataAccessError(`Input \`${name}\``, uri, cause);
    }
  }

  /** Undefined for an address on the web, which any public blob is too when one file is wanted. */
  function locate(uri: string, isOneFile = false): Place | undefined {
    try {
      const { datastore, path } = datastores.resolve(uri);
      return { container: datastores.client(datastore), path };
    } catch (cause) {
      const isWeb = /^https?:/i.test(uri);
      if (isMlpipeError(cause) && isWeb && isOneFile) return undefined;
      const shared = isMlpipeError(cause) ? datastores.publicPlace(uri) : undefined;
      if (shared !== undefined || (isMlpipeError(cause) && isWeb)) return shared;
      if (isMlpipeError(cause)) throw new DataAccessError(cause.message, { cause });
      throw cause;
    }
  }

  /** The files that a table consists of, below the deepest folder that holds all of them. */
  async function placeTable(table: Place, folder: string, how: "link" | "copy", signal: AbortSignal): Promise<void> {
    const root = table.path === "" || table.path.endsWith("/") ? table.path : `${table.path}/`;
    const client = table.container.getBlobClient(`${root}MLTable`);
    const text = await client.downloadToBuffer(0, undefined, { abortSignal: within(signal, requestSeconds) });
    const entries = readTable(text.toString("utf8")).map((entry) => {
      const isUri = /^[a-z]+:\/\//i.test(entry.path);
      const place = isUri ? locate(entry.path) : { container: table.container, path: `${root}${entry.path}` };
      if (place === undefined)
        throw new DataAccessError(`its MLTable file names ${entry.path}, which is in no datastore`);
      return { ...entry, ...place, address: `${place.container.url.split("?")[0]}/${place.path}` };
    });
    const common = commonFolder(
      entries.map(({ kind, address }) => (kind === "file" ? address.slice(0, address.lastIndexOf("/") + 1) : address)),
    );
    for (const { kind, address, isIncluded, ...place } of entries) {
      const target = toLocalPath(folder, address.slice(common.length).replace(/\/$/, ""));
      const parent = kind === "folder" ? target : dirname(target);
      await mkdir(parent, { recursive: true });
      if (kind === "folder") await placeFolder(place, parent, how, signal, isIncluded);
      else await placeFile(place, parent, how, signal);
    }
  }

  async function placeFile(
    { container, path }: Place,
    folder: string,
    how: "link" | "copy",
    signal: AbortSignal,
  ): Promise<string> {
    if (path === "" || path.endsWith("/"))
      throw new DataAccessError("a uri_file must name one blob, and this is a folder");
    const client = container.getBlobClient(path);
    const found = await client.getProperties({ abortSignal: within(signal, requestSeconds) });
    const target = join(folder, basename(path));
    const version = toVersion(container, path, { ...found, size: found.contentLength });
    await cache.place(version, client, target, how, signal);
    return target;
  }

  /** Page by page, so that a folder of any number of blobs takes bounded memory. */
  async function placeFolder(
    { container, path }: Place,
    folder: string,
    how: "link" | "copy",
    signal: AbortSignal,
    isIncluded: (path: string) => boolean = () => true,
  ): Promise<string[]> {
    const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
    const files: string[] = [];
    const known = new Set<string>([folder]);
    const pages = container
      .listBlobsFlat({ prefix, abortSignal: within(signal, transferSeconds) })
      .byPage({ maxPageSize: 2000 });
    for await (const page of pages) {
      await Promise.all(
        page.segment.blobItems.map(async ({ name, properties }) => {
          const relative = name.slice(prefix.length);
          if (!isIncluded(relative)) return;
          const target = toLocalPath(folder, relative);
          const parent = relative.endsWith("/") || relative === "" ? target : dirname(target);
          if (!known.has(parent)) await mkdir(parent, { recursive: true });
          known.add(parent);
          if (parent === target) return;
          const version = toVersion(container, name, {
            ...properties,
            size: properties.contentLength,
          });
          await cache.place(version, container.getBlobClient(name), target, how, signal);
          files.push(target);
        }),
      );
    }
    if (files.length === 0 && known.size === 1) await explainEmpty({ container, path }, signal);
    return files;
  }

  async function explainEmpty({ container, path }: Place, signal: AbortSignal): Promise<never> {
    throw new DataAccessError(
      (await isBlob({ container, path }, signal))
        ? "a folder is wanted, and this is one blob: declare it as uri_file"
        : "not found, there is no blob below this folder",
    );
  }

  async function isBlob({ container, path }: Place, signal: AbortSignal): Promise<boolean> {
    if (path === "" || path.endsWith("/")) return false;
    return container.getBlobClient(path).exists({ abortSignal: within(signal, requestSeconds) });
  }

  async function fetchFile(uri: string, folder: string, signal: AbortSignal): Promise<string> {
    const target = join(folder, basename(decodeURIComponent(new URL(uri).pathname)) || "data");
    const response = await fetchInput(uri, within(signal, transferSeconds));
    if (!response.ok || response.body === null) throw new DataAccessError(`the server answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(target), {
      signal: within(signal, transferSeconds),
    });
    return target;
  }

  async function materialiseCode(uri: string, folder: string, signal: AbortSignal): Promise<void> {
    try {
      const place = locate(uri);
      if (place === undefined)
        throw new DataAccessError("code can only be read from a datastore of the workspace; this URI is in none");
      // Blobs have no mode bits, and on the service every file of a snapshot may be executed.
      for (const file of await placeFolder(place, folder, "copy", signal)) await chmod(file, 0o755);
    } catch (cause) {
      if (cause instanceof DataAccessError)
        throw new DataAccessError(`Code (${withoutQuery(uri)}): ${cause.message}`, { cause });
      throw toDataAccessError("Code", uri, cause);
    }
  }

  return { materialiseInput, materialiseCode };
}

/** The longest beginning of all addresses that ends a folder. */
function commonFolder(folders: readonly string[]): string {
  const [first = "", ...others] = folders.map((path) => (path.endsWith("/") ? path : `${path}/`));
  let common = first;
  while (!others.every((path) => path.startsWith(common)))
    common = common.slice(0, common.lastIndexOf("/", common.length - 2) + 1);
  return common;
}

interface FoundBlob {
  readonly etag?: string;
  readonly size?: number | undefined;
  readonly lastModified?: Date;
}

function toVersion(container: ContainerClient, name: string, found: FoundBlob): BlobVersion {
  if (found.etag === undefined || found.lastModified === undefined)
    throw new DataAccessError("the storage told no ETag");
  const { accountName: account, containerName } = container;
  return {
    account,
    container: containerName,
    name,
    etag: found.etag,
    size: found.size ?? 0,
    lastModified: found.lastModified,
  };
}

/** A blob may be called anything; a file only what stays below its folder. */
function toLocalPath(folder: string, relative: string): string {
  const parts = relative.replace(/\/$/, "").split("/");
  if (relative !== "" && parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) {
    throw new DataAccessError(`the blob \`${relative}\` cannot be a file's name`);
  }
  return join(folder, relative);
}
