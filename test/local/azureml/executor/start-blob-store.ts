// A real Azurite blob service on loopback with the workspace's two containers, and clients that write down what is asked of it.
import { spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import type { ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { ContainerClient } from "@azure/storage-blob";
import { MlpipeError } from "#shared/errors.ts";
import type { DatastoreResolver } from "#local/azureml/executor/contract.ts";

const account = "devstoreaccount1";
// Azurite's own well-known key, published with it.
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const containers: Readonly<Record<string, string>> = {
  workspaceblobstore: "blobstore",
  workspaceartifactstore: "azureml",
};

export interface BlobStore {
  readonly port: number;
  readonly datastores: DatastoreResolver;
  /** `PUT workspaceblobstore/path` of every answered request, in the order of the answers. */
  readonly requests: string[];
  put(path: string, content: string | Buffer): Promise<void>;
  read(path: string, datastore?: string): Promise<string>;
  list(prefix: string, datastore?: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startBlobStore(): Promise<BlobStore> {
  const folder = await mkdtemp(join(tmpdir(), "mlpipe-azurite-"));
  const bin = fileURLToPath(new URL("../../../../node_modules/azurite/dist/src/blob/main.js", import.meta.url));
  const args = [
    "--blobHost",
    "127.0.0.1",
    "--blobPort",
    "0",
    "--location",
    folder,
    "--skipApiVersionCheck",
    "--disableTelemetry",
  ];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    void ended.then(() => reject(new Error("Azurite ended before it served")));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  });
  const requests = recordRequests(port);
  const datastores = createDatastores(port);
  for (const name of Object.keys(containers)) await datastores.client(name).createIfNotExists();
  const client = (datastore = "workspaceblobstore") => datastores.client(datastore);
  return {
    port,
    datastores,
    requests,
    async put(path, content) {
      const bytes = Buffer.from(content);
      await client().getBlockBlobClient(path).upload(bytes, bytes.length);
    },
    async read(path, datastore) {
      return (await client(datastore).getBlobClient(path).downloadToBuffer()).toString("utf8");
    },
    async list(prefix, datastore) {
      const names: string[] = [];
      for await (const blob of client(datastore).listBlobsFlat({ prefix })) names.push(blob.name.slice(prefix.length));
      return names;
    },
    async stop() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What this process asks of the server at `port`, in the order of the answers. */
function recordRequests(port: number): string[] {
  const requests: string[] = [];
  subscribe("http.client.response.finish", (message) => {
    const { request } = message as { request: ClientRequest };
    if (request.getHeader("host") !== `127.0.0.1:${port}`) return;
    const { pathname, searchParams } = new URL(request.path, "http://127.0.0.1");
    const [, , container, ...path] = decodeURIComponent(pathname).split("/");
    const datastore = Object.keys(containers).find((name) => containers[name] === container);
    requests.push(
      [request.method, `${datastore}/${path.join("/")}`, searchParams.get("comp")].filter(Boolean).join(" "),
    );
  });
  return requests;
}

/** The workspace's datastores on the Azurite at `port`. */
export function createDatastores(port: number): DatastoreResolver {
  const endpoint = `http://127.0.0.1:${port}/${account}`;
  const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key));
  return {
    resolve(uri) {
      const direct = new RegExp(`^${endpoint}/([^/]+)/([^?]*)`).exec(uri);
      const [, name, path] = direct ?? /^azureml:\/\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/.exec(uri) ?? [];
      const datastore = direct === null ? name : Object.keys(containers).find((one) => containers[one] === name);
      if (datastore === undefined || path === undefined)
        throw new MlpipeError("InvalidRequest", `no datastore holds ${uri}`);
      return { datastore, path: decodeURIComponent(path) };
    },
    publicPlace: () => undefined,
    client(datastore): ContainerClient {
      const container = containers[datastore];
      if (container === undefined) throw new MlpipeError("NotFound", `no datastore ${datastore}`);
      return service.getContainerClient(container);
    },
  };
}
