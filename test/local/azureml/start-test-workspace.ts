// A workspace of its own for a test file: Azurite behind it, the official client before it, a scripted executor inside.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearning";
import { startWorkspace, type Workspace, type WorkspaceOptions } from "#local/azureml/server.ts";
import { startBlobStore, type BlobStore } from "./executor/start-blob-store.ts";
import { createFakeExecutor, type FakeExecutor } from "./fake-executor.ts";

export const subscriptionId = "11111111-1111-1111-1111-111111111111";
export const group = "test-group";
export const workspaceName = "test-workspace";
export const token = "owner-token-of-the-tests";
export const workspacePath = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspaceName}`;
/** Azurite's own well-known account. */
export const blobAccount = {
  accountName: "devstoreaccount1",
  accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

interface RawRequest {
  readonly method?: string;
  /** Below the workspace when it does not begin with `/`. */
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
  /** `null` leaves it out. */
  readonly apiVersion?: string | null;
}

export interface TestWorkspace {
  readonly workspace: Workspace;
  readonly executor: FakeExecutor;
  readonly client: AzureMachineLearningWorkspaces;
  readonly stateFolder: string;
  readonly blobs: BlobStore;
  /** A request as it is, past every client. */
  send(request: RawRequest): Promise<RawAnswer>;
  /** Same folder, same ports, as after the end of a process. */
  restart(options?: Partial<WorkspaceOptions>, executor?: FakeExecutor): Promise<TestWorkspace>;
  stop(): Promise<void>;
}

export function createClient(url: string, caFile: string): AzureMachineLearningWorkspaces {
  const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3600_000 }) };
  return new AzureMachineLearningWorkspaces(credential, subscriptionId, {
    endpoint: url,
    credentialScopes: "https://management.azure.com/.default",
    tlsOptions: { ca: readFileSync(caFile, "utf8") },
    retryOptions: { retryDelayInMs: 5, maxRetryDelayInMs: 20 },
  });
}

function createSender({ url, caFile }: Workspace): TestWorkspace["send"] {
  const ca = readFileSync(caFile, "utf8");
  return ({ method = "GET", path, body, token: sent = token, apiVersion = "2024-04-01" }) =>
    new Promise((resolve, reject) => {
      const target = new URL(path.startsWith("/") ? path : `${workspacePath}/${path}`, url);
      if (apiVersion !== null) target.searchParams.set("api-version", apiVersion);
      const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${sent}`,
        ...(text === undefined ? {} : { "content-type": "application/json" }),
      };
      const request = httpsRequest(target, { method, ca, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(parts).toString();
          const parsed: unknown = answer === "" ? undefined : JSON.parse(answer);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
        });
      });
      request.on("error", reject);
      request.end(text);
    });
}

async function open(
  blobs: BlobStore,
  stateFolder: string,
  options: Partial<WorkspaceOptions>,
  executor: FakeExecutor,
): Promise<TestWorkspace> {
  const workspace = await startWorkspace({
    stateFolder,
    cacheFolder: join(stateFolder, "cache"),
    subscriptionId,
    resourceGroup: group,
    workspaceName,
    token,
    blob: { protocol: "http", endpoint: `127.0.0.1:${blobs.port}`, ...blobAccount },
    createExecutor: executor.create,
    ...options,
  });
  return {
    workspace,
    executor,
    client: createClient(workspace.url, workspace.caFile),
    stateFolder,
    blobs,
    send: createSender(workspace),
    async restart(next = {}, nextExecutor = createFakeExecutor({ isScripted: true })) {
      const [port, mlflowPort] = [workspace.url, workspace.mlflowUrl].map((url) => Number(new URL(url).port));
      await workspace.stop();
      return open(blobs, stateFolder, { ...options, port, mlflowPort, ...next }, nextExecutor);
    },
    async stop() {
      await workspace.stop();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}

/** @param blobs Shared by the workspaces of one test file. */
export async function startTestWorkspace(
  blobs: BlobStore,
  options: Partial<WorkspaceOptions> = {},
  executor: FakeExecutor = createFakeExecutor(),
): Promise<TestWorkspace> {
  const stateFolder = await mkdtemp(join(tmpdir(), "mlpipe-workspace-"));
  return open(blobs, stateFolder, options, executor);
}

/** An environment and the least a command job needs. */
export async function registerEnvironment(env: TestWorkspace): Promise<string> {
  await env.send({
    method: "PUT",
    path: "environments/base/versions/1",
    body: { properties: { image: "python:3.11" } },
  });
  return `${workspacePath}/environments/base/versions/1`;
}

export function commandJob(environmentId: string, properties: Readonly<Record<string, unknown>> = {}) {
  return { properties: { jobType: "Command", command: "echo hello", environmentId, ...properties } };
}

export { startBlobStore };
