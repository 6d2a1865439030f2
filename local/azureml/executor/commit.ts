// Uploads what a command wrote. The file it touched last is committed last, after every other file of every output and
// after the artifacts: whoever is woken by that blob finds the rest in its place.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { artifactDatastore } from "../datastores.ts";
import type { BlobVersion } from "./blob-cache.ts";
import type { DatastoreResolver, JobExecution } from "./contract.ts";
import { toDataAccessError, within } from "./data-access.ts";
import type { JobFolder } from "./job-folder.ts";
import type { Limiter } from "./limiter.ts";
import { describeFile, listFiles } from "./output-files.ts";
import type { OutputFile } from "./output-files.ts";

export interface CommittedFile {
  readonly blob: BlobVersion;
  readonly file: string;
}

interface CommitRequest {
  readonly execution: JobExecution;
  readonly folder: JobFolder;
  readonly wasCut: boolean;
  readonly signal: AbortSignal;
}

export interface Committer {
  /**
   * Commits the named outputs and the artifacts (`./outputs`, `./logs`) of a command that has ended. Of one that was
   * ended (`wasCut`) only mounted outputs: on the service, those were written through as they came.
   * @throws DataAccessError naming the output and its URI.
   */
  commit(request: CommitRequest): Promise<CommittedFile[]>;
}

/** Folder of a run's artifacts in their datastore. */
export function artifactFolder(jobName: string): string {
  return `ExperimentRun/dcid.${jobName}/`;
}

const wholeBytes = 1024 * 1024;
const blockBytes = 8 * 1024 * 1024;
const uploadSeconds = 6 * 3600;

interface Upload {
  readonly what: string;
  readonly uri: string;
  readonly container: ContainerClient;
  readonly blobName: string;
  readonly file: OutputFile;
  /** Single-file outputs come after folders when the clock cannot tell which was touched last. */
  readonly rank: number;
}

export function createCommitter(datastores: DatastoreResolver, limit: Limiter): Committer {
  async function listOutputs({ execution: { outputs }, folder, wasCut }: CommitRequest): Promise<Upload[]> {
    const uploads = Object.entries(outputs).map(async ([name, { type, uri, mode }], index): Promise<Upload[]> => {
      if (mode === "Direct" || (wasCut && mode !== "ReadWriteMount")) return [];
      const what = `Output \`${name}\``;
      const { path, container } = locate(what, uri);
      const common = { what, uri, container };
      const local = folder.outputFolder(name);
      if (type === "uri_file") {
        const file = await describeFile(outputFilePath(folder, name, path), local);
        return file === undefined ? [] : [{ ...common, blobName: path, file, rank: 1000 + index }];
      }
      const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
      return (await listFiles(local)).map((file) => ({ ...common, blobName: prefix + file.path, file, rank: index }));
    });
    return (await Promise.all(uploads)).flat();
  }

  function locate(what: string, uri: string): { path: string; container: ContainerClient } {
    try {
      const { datastore, path } = datastores.resolve(uri);
      return { path, container: datastores.client(datastore) };
    } catch (cause) {
      throw toDataAccessError(what, uri, cause);
    }
  }

  async function listArtifacts({ execution: { jobName }, folder }: CommitRequest): Promise<Upload[]> {
    const sources = [
      { local: `${folder.workFolder}/outputs`, prefix: "outputs/" },
      { local: `${folder.workFolder}/logs`, prefix: "logs/" },
    ];
    const listed = await Promise.all(
      sources.map(async ({ local, prefix }) =>
        (await listFiles(local)).map((file) => {
          const blobName = `${artifactFolder(jobName)}${prefix}${file.path}`;
          const uri = `azureml://datastores/${artifactDatastore}/paths/${blobName}`;
          return { what: "Artifact", uri, container: datastores.client(artifactDatastore), blobName, file, rank: 0 };
        }),
      ),
    );
    return listed.flat();
  }

  async function upload({ what, uri, container, blobName, file }: Upload, signal: AbortSignal): Promise<CommittedFile> {
    const client = container.getBlockBlobClient(blobName);
    const abortSignal = within(signal, uploadSeconds);
    try {
      const { etag, lastModified } =
        file.size <= wholeBytes
          ? await uploadWhole(client, file.file, abortSignal)
          : file.size <= blockBytes
            ? await client.uploadFile(file.file, { abortSignal, maxSingleShotSize: blockBytes })
            : await uploadInBlocks(client, file.file, abortSignal);
      if (etag === undefined || lastModified === undefined) throw new Error("the storage told no ETag");
      const { accountName: account, containerName } = container;
      return {
        file: file.file,
        blob: { account, container: containerName, name: blobName, etag, size: file.size, lastModified },
      };
    } catch (cause) {
      throw toDataAccessError(`${what}, file \`${file.path}\``, uri, cause);
    }
  }

  return {
    async commit(request) {
      const [outputs, artifacts] = await Promise.all([listOutputs(request), listArtifacts(request)]);
      const ordered = outputs.toSorted(byLastTouched);
      const last = ordered.pop();
      const earlier = await Promise.all(
        [...artifacts, ...ordered].map((one) => limit(() => upload(one, request.signal), request.signal)),
      );
      const committed = earlier.slice(artifacts.length);
      if (last !== undefined) committed.push(await upload(last, request.signal));
      return committed;
    },
  };
}

/** Local path of a single-file output: in a folder of its own, under the blob's name, since programs read endings. */
export function outputFilePath(folder: JobFolder, name: string, blobPath: string): string {
  return `${folder.outputFolder(name)}/${basename(blobPath) || name}`;
}

function byLastTouched(one: Upload, other: Upload): number {
  if (one.file.changedAt !== other.file.changedAt) return one.file.changedAt < other.file.changedAt ? -1 : 1;
  return one.rank - other.rank;
}

/** The service keeps the hash of a blob that came whole; of one that came in blocks, what the writer says at the end. */
async function uploadInBlocks(client: BlockBlobClient, file: string, abortSignal: AbortSignal) {
  const hash = createHash("md5");
  const blobHTTPHeaders: { blobContentMD5?: Uint8Array } = {};
  async function* read() {
    for await (const chunk of createReadStream(file, { highWaterMark: wholeBytes })) {
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
    // The list of blocks is committed, with these headers, after the last byte has been read.
    blobHTTPHeaders.blobContentMD5 = hash.digest();
  }
  return client.uploadStream(Readable.from(read()), blockBytes, 4, { abortSignal, blobHTTPHeaders });
}

async function uploadWhole(client: BlockBlobClient, file: string, abortSignal: AbortSignal) {
  const bytes = await readFile(file);
  return client.upload(bytes, bytes.length, { abortSignal });
}
