import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { startWorkspace } from "#local/azureml/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  blobAccount,
  group,
  startBlobStore,
  startTestWorkspace,
  subscriptionId,
  workspaceName,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
beforeAll(async () => {
  env = await startTestWorkspace(await startBlobStore());
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const errorCode = ({ body }: { body: unknown }) => (body as { error: { code: string } }).error.code;

test("the workspace tells its id, its storage and where to track", async () => {
  const workspace = await env.client.workspaces.get(group, workspaceName);
  expect(workspace).toMatchObject({
    name: workspaceName,
    workspaceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    provisioningState: "Succeeded",
    storageAccount: expect.stringContaining(`/storageAccounts/${blobAccount.accountName}`),
    mlFlowTrackingUri: `azureml://${new URL(env.workspace.url).host}/mlflow/v1.0${workspacePath}`,
  });
});

test("the default datastore is on the given blob account, its container made, its key told only when asked for", async () => {
  const [datastore] = await collect(env.client.datastores.list(group, workspaceName, { isDefault: true }));
  const { workspaceId } = await env.client.workspaces.get(group, workspaceName);
  expect(datastore).toMatchObject({
    name: "workspaceblobstore",
    properties: {
      datastoreType: "AzureBlob",
      accountName: blobAccount.accountName,
      containerName: `azureml-blobstore-${workspaceId}`,
      protocol: "http",
      endpoint: `127.0.0.1:${env.blobs.port}`,
      isDefault: true,
      credentials: { credentialsType: "AccountKey" },
    },
  });
  expect(JSON.stringify((await env.send({ path: "datastores" })).body)).not.toContain(blobAccount.accountKey);
  const secrets = await env.client.datastores.listSecrets(group, workspaceName, "workspaceblobstore");
  expect(secrets).toEqual({ secretsType: "AccountKey", key: blobAccount.accountKey });
  const service = new BlobServiceClient(
    `http://127.0.0.1:${env.blobs.port}/${blobAccount.accountName}`,
    new StorageSharedKeyCredential(blobAccount.accountName, blobAccount.accountKey),
  );
  expect(await service.getContainerClient(`azureml-blobstore-${workspaceId}`).exists()).toBe(true);
  expect(await service.getContainerClient("azureml").exists()).toBe(true);
});

test("a datastore of one's own is kept with its secrets apart", async () => {
  const { datastores } = env.client;
  const written = await datastores.createOrUpdate(group, workspaceName, "mine", {
    properties: {
      datastoreType: "AzureBlob",
      accountName: "acct",
      containerName: "c",
      credentials: { credentialsType: "Sas", secrets: { secretsType: "Sas", sasToken: "sig=hidden" } },
    },
  });
  expect(JSON.stringify(written)).not.toContain("hidden");
  expect(await datastores.listSecrets(group, workspaceName, "mine")).toEqual({
    secretsType: "Sas",
    sasToken: "sig=hidden",
  });
  expect((await collect(datastores.list(group, workspaceName, { names: ["mine"] }))).map(({ name }) => name)).toEqual([
    "mine",
  ]);
  await datastores.delete(group, workspaceName, "mine");
  await expect(datastores.get(group, workspaceName, "mine")).rejects.toMatchObject({ statusCode: 404 });
  await expect(datastores.delete(group, workspaceName, "workspaceblobstore")).rejects.toMatchObject({
    statusCode: 400,
  });
});

test("computes are made, changed, stopped and deleted", async () => {
  const { computeOperations } = env.client;
  const parameters = {
    location: "eastus",
    properties: {
      computeType: "AmlCompute" as const,
      properties: { vmSize: "Standard_DS3_v2", scaleSettings: { maxNodeCount: 4 } },
    },
  };
  const made = await computeOperations.beginCreateOrUpdateAndWait(group, workspaceName, "cpu", parameters, {
    updateIntervalInMs: 1,
  });
  expect(made.properties).toMatchObject({
    computeType: "AmlCompute",
    provisioningState: "Succeeded",
    properties: { vmSize: "Standard_DS3_v2" },
  });
  await computeOperations.beginStopAndWait(group, workspaceName, "cpu", { updateIntervalInMs: 1 });
  expect((await collect(computeOperations.list(group, workspaceName))).map(({ name }) => name)).toEqual(["cpu"]);
  await computeOperations.beginDeleteAndWait(group, workspaceName, "cpu", "Delete", { updateIntervalInMs: 1 });
  await expect(computeOperations.get(group, workspaceName, "cpu")).rejects.toMatchObject({ statusCode: 404 });
});

test("schedules are kept and listed by whether they are enabled", async () => {
  const { schedules } = env.client;
  const body = (isEnabled: boolean) => ({
    properties: {
      isEnabled,
      action: {
        actionType: "CreateJob" as const,
        jobDefinition: { jobType: "Command" as const, command: "x", environmentId: "y" },
      },
      trigger: { triggerType: "Cron" as const, expression: "0 3 * * 1", timeZone: "UTC" },
    },
  });
  await schedules.beginCreateOrUpdateAndWait(group, workspaceName, "on", body(true), { updateIntervalInMs: 1 });
  await schedules.beginCreateOrUpdateAndWait(group, workspaceName, "off", body(false), { updateIntervalInMs: 1 });
  const names = async (listViewType: string) =>
    (await collect(schedules.list(group, workspaceName, { listViewType }))).map(({ name }) => name);
  expect(await names("EnabledOnly")).toEqual(["on"]);
  expect(await names("DisabledOnly")).toEqual(["off"]);
  await schedules.beginDeleteAndWait(group, workspaceName, "on", { updateIntervalInMs: 1 });
  expect(await names("All")).toEqual(["off"]);
});

test("VM sizes are listed for the region", async () => {
  const { value } = await env.client.virtualMachineSizes.list("eastus");
  expect(value).toContainEqual(expect.objectContaining({ name: "Standard_NC4as_T4_v3", gpus: 1, vCPUs: 4 }));
});

test.each(["", "Bearer wrong-token-of-someone"])(
  "without the right token (%j) nothing is answered but 401",
  async (authorization) => {
    const answer = await env.send({ path: "jobs", token: authorization.replace("Bearer ", "") });
    expect(answer.status).toBe(401);
    expect(errorCode(answer)).toBe("InvalidAuthenticationToken");
  },
);

test.each([
  ["subscription", workspacePath.replace(subscriptionId, "other"), "SubscriptionNotFound"],
  ["resource group", workspacePath.replace(group, "other"), "ResourceGroupNotFound"],
  ["workspace", workspacePath.replace(workspaceName, "other"), "ResourceNotFound"],
])("another %s is an ARM miss", async (_title, path, code) => {
  const answer = await env.send({ path: `${path}/jobs/x` });
  expect(answer.status).toBe(404);
  expect(errorCode(answer)).toBe(code);
});

test("the ARM path is read in any case", async () => {
  expect((await env.send({ path: workspacePath.toLowerCase() })).status).toBe(200);
});

test("api-version is required and its value is not looked at", async () => {
  expect(errorCode(await env.send({ path: "jobs", apiVersion: null }))).toBe("MissingApiVersionParameter");
  expect((await env.send({ path: "jobs", apiVersion: "2022-10-01" })).status).toBe(200);
  expect((await env.send({ path: "jobs", apiVersion: "2031-01-01-preview" })).status).toBe(200);
});

test("answers carry the service's headers and errors its body", async () => {
  const answer = await env.send({ path: "jobs/none" });
  for (const header of [
    "x-ms-request-id",
    "x-ms-correlation-request-id",
    "x-ms-routing-request-id",
    "x-aml-cluster",
    "x-request-time",
    "x-ms-ratelimit-remaining-subscription-reads",
  ]) {
    expect(answer.headers[header]).toBeDefined();
  }
  const { additionalInfo } = (answer.body as { error: { additionalInfo: { type: string }[] } }).error;
  expect(additionalInfo.map(({ type }) => type)).toEqual([
    "ComponentName",
    "Correlation",
    "Environment",
    "Location",
    "Time",
    "InnerError",
    "MessageFormat",
    "MessageParameters",
  ]);
});

test("paths that are nobody's and escapes that are broken are refused, not crashed on", async () => {
  expect(errorCode(await env.send({ path: "nonsense" }))).toBe("InvalidResourceType");
  expect((await env.send({ path: `${workspacePath}/jobs/%E0%A4%A` })).status).toBeGreaterThanOrEqual(400);
  expect((await env.send({ path: "jobs/" })).status).toBe(200);
});

test("a start without a blob server says so", async () => {
  const start = startWorkspace({
    stateFolder: `${env.stateFolder}/elsewhere`,
    cacheFolder: env.stateFolder,
    subscriptionId,
    resourceGroup: group,
    workspaceName,
    token: "t",
    blobPatienceMs: 0,
    blob: { protocol: "http", endpoint: "127.0.0.1:9", ...blobAccount },
    createExecutor: env.executor.create,
  });
  await expect(start).rejects.toMatchObject({ code: "Unavailable", message: expect.stringContaining("blob server") });
});
