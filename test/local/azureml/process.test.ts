// The workspace as the stack runs it: a process of its own, real jobs inside, killed and started again.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { WorkspaceMessage } from "#local/azureml/process.ts";
import { findFreePorts } from "#local/free-ports.ts";
import type { BlobStore } from "./executor/start-blob-store.ts";
import {
  blobAccount,
  createClient,
  group,
  startBlobStore,
  subscriptionId,
  token,
  workspaceName,
  workspacePath,
} from "./start-test-workspace.ts";

let blobs: BlobStore;
let folder: string;
let ports: number[];
const children: ChildProcess[] = [];
beforeAll(async () => {
  blobs = await startBlobStore();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-process-"));
  ports = await findFreePorts(2);
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, () => child.disconnect());
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => blobs.stop());

async function end(child: ChildProcess, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  how();
  await exited;
}

/** One life of the process, up to its first word. */
async function start(): Promise<{ child: ChildProcess; message: WorkspaceMessage }> {
  const child = fork(fileURLToPath(new URL("../../../local/azureml/process.ts", import.meta.url)), {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  children.push(child);
  const [port, mlflowPort] = ports;
  const options = {
    stateFolder: join(folder, "state"),
    cacheFolder: join(folder, "cache"),
    port,
    mlflowPort,
    subscriptionId,
    resourceGroup: group,
    workspaceName,
    token,
    blob: { protocol: "http", endpoint: `127.0.0.1:${blobs.port}`, ...blobAccount },
  };
  child.send(options);
  const [message] = (await once(child, "message")) as [WorkspaceMessage];
  return { child, message };
}
async function startReady() {
  const { child, message } = await start();
  if (message.type !== "ready") throw new Error(message.message);
  return { child, client: createClient(message.url, message.caFile) };
}

const patient = { timeout: 120_000 };

test("a job outlives a kill of the workspace and runs once", patient, async () => {
  const first = await startReady();
  const environmentId = `${workspacePath}/environments/plain/versions/1`;
  await first.client.environmentVersions.createOrUpdate(group, workspaceName, "plain", "1", {
    properties: { image: "python:3.11" },
  });
  const [ledger, flag] = [join(folder, "ledger"), join(folder, "flag")];
  const properties = {
    jobType: "Command" as const,
    environmentId,
    command: `echo begun >> '${ledger}'; while [ ! -e '${flag}' ]; do sleep 0.1; done; echo result > \${{outputs.out}}/result.txt; echo finished`,
    outputs: { out: { jobOutputType: "uri_folder" as const } },
  };
  await first.client.jobs.createOrUpdate(group, workspaceName, "survivor", { properties });
  const isBegun = () => readFile(ledger, "utf8").catch(() => "");
  await expect.poll(isBegun, { timeout: 90_000 }).toBe("begun\n");
  await end(first.child, () => first.child.kill("SIGKILL"));

  const second = await startReady();
  await writeFile(flag, "");
  const status = async () => (await second.client.jobs.get(group, workspaceName, "survivor")).properties.status;
  await expect.poll(status, { timeout: 60_000 }).toBe("Completed");
  expect(await isBegun()).toBe("begun\n");
  const { workspaceId = "" } = await second.client.workspaces.get(group, workspaceName);
  expect(await readBlob(`azureml-blobstore-${workspaceId}`, "azureml/survivor/out/result.txt")).toBe("result\n");
  expect(await readBlob("azureml", "ExperimentRun/dcid.survivor/user_logs/std_log.txt")).toContain("finished");
});

async function readBlob(container: string, path: string): Promise<string> {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import("@azure/storage-blob");
  const credential = new StorageSharedKeyCredential(blobAccount.accountName, blobAccount.accountKey);
  const service = new BlobServiceClient(`http://127.0.0.1:${blobs.port}/${blobAccount.accountName}`, credential);
  return (await service.getContainerClient(container).getBlobClient(path).downloadToBuffer()).toString();
}

test("a port that is taken is told to the parent", patient, async () => {
  await startReady();
  const { child, message } = await start();
  expect(message).toMatchObject({ type: "failed", message: expect.stringContaining("EADDRINUSE") });
  await end(child, () => undefined);
  expect(child.exitCode).toBe(1);
});

test("it ends when its parent lets go of it", patient, async () => {
  const { child } = await startReady();
  await end(child, () => child.disconnect());
  expect(child.exitCode).toBe(0);
});
