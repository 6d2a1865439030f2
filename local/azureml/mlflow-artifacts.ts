// Artifacts of runs, in the workspace's artifact store where the service keeps them: ExperimentRun/dcid.{run}/...
import type { Readable } from "node:stream";
import type { ContainerClient } from "@azure/storage-blob";
import { MlflowError } from "./mlflow-error.ts";

export interface ArtifactInfo {
  /** Relative to the artifact root. */
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size?: number;
}

export interface Artifacts {
  /** @param content Read to its end, in blocks; never held whole. */
  write(runId: string, path: string, content: Readable, contentType: string): Promise<void>;
  /** @throws MlflowError `RESOURCE_DOES_NOT_EXIST`. */
  read(
    runId: string,
    path: string,
  ): Promise<{ readonly stream: Readable; readonly size: number; readonly contentType: string }>;
  /** One level below `path`; the empty path is the root. */
  list(runId: string, path: string): Promise<ArtifactInfo[]>;
  delete(runId: string, path: string): Promise<void>;
}

const blockBytes = 4 * 1024 * 1024;
const callTimeoutMs = 30_000;
const transferTimeoutMs = 3600_000;

/** @throws MlflowError `INVALID_PARAMETER_VALUE` for a path that leaves its run. */
function checkPath(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === ".." || segment === ".") || /[\\\0]/.test(path)) {
    throw new MlflowError("INVALID_PARAMETER_VALUE", `Invalid path: ${path}`);
  }
  return segments.join("/");
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "statusCode" in error && error.statusCode === 404;
}

/** @param container Asked for anew each time: a restart of the blob server may change it. */
export function createArtifacts(container: () => ContainerClient): Artifacts {
  const place = (runId: string, path: string) => `ExperimentRun/dcid.${checkPath(runId)}/${checkPath(path)}`;
  return {
    async write(runId, path, content, contentType) {
      await container()
        .getBlockBlobClient(place(runId, path))
        .uploadStream(content, blockBytes, 2, {
          blobHTTPHeaders: { blobContentType: contentType },
          abortSignal: AbortSignal.timeout(transferTimeoutMs),
        });
    },
    async read(runId, path) {
      const blob = container().getBlockBlobClient(place(runId, path));
      const answer = await blob
        .download(0, undefined, { abortSignal: AbortSignal.timeout(transferTimeoutMs) })
        .catch((error: unknown) => {
          throw isMissing(error) ? new MlflowError("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'`) : error;
        });
      const { readableStreamBody: stream, contentLength = 0, contentType = "application/octet-stream" } = answer;
      if (stream === undefined) throw new Error("the blob client gave no stream");
      // In Node the SDK's stream is a Readable: https://learn.microsoft.com/javascript/api/@azure/storage-blob/blobdownloadresponseparsed
      return { stream: stream as Readable, size: contentLength, contentType };
    },
    async list(runId, path) {
      const root = place(runId, "");
      const folder = checkPath(path);
      const prefix = folder === "" ? root : `${root}${folder}/`;
      const found: ArtifactInfo[] = [];
      const items = container().listBlobsByHierarchy("/", { prefix, abortSignal: AbortSignal.timeout(callTimeoutMs) });
      for await (const item of items) {
        const relative = item.name.slice(root.length).replace(/\/$/, "");
        if (item.kind === "prefix") found.push({ path: relative, is_dir: true });
        else found.push({ path: relative, is_dir: false, file_size: item.properties.contentLength ?? 0 });
      }
      return found.toSorted((left, right) => (left.path < right.path ? -1 : 1));
    },
    async delete(runId, path) {
      await container()
        .getBlockBlobClient(place(runId, path))
        .deleteIfExists({ abortSignal: AbortSignal.timeout(callTimeoutMs) });
    },
  };
}
