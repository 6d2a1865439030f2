// The versions of datasets: the files that lie there, and the record of what has arrived.
import type { ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Records } from "#shared/azure/records.ts";
import { fingerprintOf } from "#shared/domain/dataset/fingerprint.ts";
import type { FoundFile } from "#shared/domain/dataset/judge.ts";
import type { DatasetPlace } from "#shared/domain/dataset/place.ts";
import { plainEtag } from "#shared/domain/dataset/upload-event.ts";
import {
  ManifestFile,
  manifestPath,
  recordFolder,
  recordPath,
  settledKey,
  VersionRecord,
} from "#shared/domain/dataset/version-record.ts";
import { MlpipeError } from "#shared/errors.ts";

/** Files of one version; a list of more is no longer read in one go. */
const maxFiles = 200_000;
/** Manifests never change, so the last few are kept in memory. */
const keptManifests = 50;

export interface StoredRecord {
  readonly record: VersionRecord;
  readonly etag: string;
}

export interface FoundVersion {
  readonly version: string;
  readonly files: readonly FoundFile[];
}

interface DatasetAt {
  readonly name: string;
  readonly datastore?: string;
  readonly place: DatasetPlace;
}

export type DatasetVersions = ReturnType<typeof createDatasetVersions>;

export function createDatasetVersions({ blobs, records }: { blobs: Blobs; records: Records }) {
  const manifests = new Map<string, readonly ManifestFile[]>();

  async function* filesBelow(prefix: string, datastore: string | undefined): AsyncGenerator<FoundFile> {
    const container: ContainerClient = await blobs.container(datastore);
    for await (const { name, properties, metadata } of container.listBlobsFlat({
      prefix,
      includeMetadata: true,
      includeCopy: true,
    })) {
      // A hierarchical namespace lists its folders as blobs.
      if (metadata?.["hdi_isfolder"] === "true") continue;
      yield {
        path: name,
        size: properties.contentLength ?? 0,
        etag: plainEtag(properties.etag ?? ""),
        modified: properties.lastModified.getTime(),
        ...(properties.copyStatus === "pending" ? { isPending: true } : {}),
      };
    }
  }

  return {
    /** Every file below the version's folder. @throws MlpipeError `TooLarge` */
    async files({ place, datastore }: DatasetAt, version: string): Promise<FoundFile[]> {
      const folder = place.folderOf(version);
      const files: FoundFile[] = [];
      for await (const file of filesBelow(folder, datastore)) {
        files.push({ ...file, path: file.path.slice(folder.length) });
        if (files.length > maxFiles) throw new MlpipeError("TooLarge", `${folder} holds more than ${maxFiles} files`);
      }
      return files;
    },

    /** Every version that has files, one after the other. */
    async *versions({ place, datastore }: DatasetAt): AsyncGenerator<FoundVersion> {
      let version: string | undefined;
      let files: FoundFile[] = [];
      for await (const found of filesBelow(place.prefix, datastore)) {
        const at = place.parse(found.path);
        if (at === undefined) continue;
        if (at.version !== version) {
          if (version !== undefined) yield { version, files };
          ({ version } = at);
          files = [];
        }
        files.push({ ...found, path: at.file });
      }
      if (version !== undefined) yield { version, files };
    },

    async uriOf({ place, datastore }: DatasetAt, version: string): Promise<string> {
      const { name } = await blobs.store(datastore);
      return `azureml://datastores/${name}/paths/${place.folderOf(version)}`;
    },

    async read(dataset: string, version: string): Promise<StoredRecord | undefined> {
      const stored = await records.read(recordPath(dataset, version));
      if (stored === undefined) return undefined;
      return { record: VersionRecord.parse(JSON.parse(stored.text)), etag: stored.etag };
    },

    /**
     * Writes a record that is still as it was read.
     *
     * @param settled the files that need no more looking at; absent while there is something to do
     * @throws MlpipeError `Unavailable` when somebody else has written meanwhile: try again from the reading
     */
    async write(
      record: VersionRecord,
      etag: string | undefined,
      settled: readonly FoundFile[] | undefined,
    ): Promise<void> {
      const metadata: Record<string, string> =
        settled === undefined ? {} : { [settledKey]: await fingerprintOf(settled) };
      const path = recordPath(record.dataset, record.version);
      if (!(await records.replace(path, JSON.stringify(record), etag, metadata))) {
        throw new MlpipeError("Unavailable", `The record of ${record.dataset} ${record.version} has changed meanwhile`);
      }
    },

    /** Fingerprints of the files that each version's record has dealt with. */
    async settled(dataset: string): Promise<Map<string, string>> {
      const found = new Map<string, string>();
      const folder = recordFolder(dataset);
      let continuation: string | undefined;
      do {
        const page = await records.page(folder, 5_000, continuation);
        for (const { path, metadata } of page.entries) {
          const fingerprint = metadata[settledKey];
          if (fingerprint !== undefined) found.set(path.slice(folder.length, -".json".length), fingerprint);
        }
        continuation = page.continuation;
      } while (continuation !== undefined);
      return found;
    },

    /** The one version's, as it is at this moment. */
    async settledNow(dataset: string, version: string): Promise<string | undefined> {
      const path = recordPath(dataset, version);
      const { entries } = await records.page(path, 1);
      return entries.find((entry) => entry.path === path)?.metadata[settledKey];
    },

    /** Versions that have a record, by name. */
    async page(dataset: string, limit: number, continuation?: string) {
      const folder = recordFolder(dataset);
      const page = await records.page(folder, limit, continuation);
      return {
        versions: page.entries.map(({ path }) => path.slice(folder.length, -".json".length)),
        ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
      };
    },

    /** The files that an arrival took; empty when the list is gone. */
    async manifest(dataset: string, version: string, number: number): Promise<readonly ManifestFile[]> {
      const path = manifestPath(dataset, version, number);
      const known = manifests.get(path);
      if (known !== undefined) return known;
      const text = await blobs.readText(path);
      if (text === undefined) return [];
      const files = z.array(ManifestFile).parse(JSON.parse(text));
      manifests.set(path, files);
      const oldest = manifests.keys().next();
      if (manifests.size > keptManifests && oldest.done !== true) manifests.delete(oldest.value);
      return files;
    },

    /** Writes an arrival's list, over one that no record has come to name. */
    async writeManifest(dataset: string, version: string, number: number, files: readonly FoundFile[]): Promise<void> {
      const path = manifestPath(dataset, version, number);
      const list = files.map(({ path: file, etag, size, modified }) => ({ path: file, etag, size, modified }));
      await blobs.write(path, Buffer.from(JSON.stringify(list)));
    },
  };
}
