// Who listens where, who knows which key and who is told of what: everything the parts of a stack are started with.
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import type { Faults as WorkspaceFaults } from "./azureml/faults.ts";
import { createScope } from "./azureml/workspace-scope.ts";
import type { EventFaults } from "./event-faults.ts";
import type { HostKeys } from "./host/contract.ts";
import type { Ports, Secrets } from "./stack-folder.ts";
import { createChildEnvironment, createHostSettings } from "./stack-settings.ts";
import type { StorageOptions } from "./storage/process.ts";

export type StackPart = "storage" | "workspace" | "host";

export interface StackFaults {
  /** What befalls the storage account's events. */
  readonly events?: z.input<typeof EventFaults>;
  readonly workspace?: z.input<typeof WorkspaceFaults>;
}

export interface PlanRequest {
  readonly home: string;
  readonly cacheFolder: string;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly hostKeys: HostKeys;
  readonly appRoot: string | undefined;
  readonly entry: string | undefined;
  readonly faults: StackFaults | undefined;
  /** More settings for the app. */
  readonly appSettings: Readonly<Record<string, string>> | undefined;
  readonly ownEnvironment: NodeJS.ProcessEnv;
}

interface PartPlan {
  readonly module: URL;
  /** By message. */
  readonly options?: object;
  /** By argument: holds nothing secret. */
  readonly argument?: object;
  readonly environment: NodeJS.ProcessEnv;
}

export interface StackPlan {
  readonly parts: Readonly<Record<StackPart, PartPlan>>;
  readonly connectionString: string;
  /** The workspace's certificate authority; made by the workspace at its first start. */
  readonly caFile: string;
}

const identity = {
  subscriptionId: "00000000-0000-0000-0000-000000000000",
  resourceGroup: "embedded",
  workspaceName: "mlpipe",
};
/** A host that is gone is started again at once: events do not wait for it as for somebody else's. */
const knockMs = 25;
const packageRoot = fileURLToPath(new URL("..", import.meta.url));

export function stateFolder(home: string, part: StackPart): string {
  return join(home, part);
}

export function planStack(request: PlanRequest): StackPlan {
  const { home, cacheFolder, ports, secrets, hostKeys } = request;
  const { token, accountName, accountKey } = secrets;
  const scope = createScope(identity);
  const environment = createChildEnvironment(request.ownEnvironment, cacheFolder);
  const caFile = join(stateFolder(home, "workspace"), "certificate", "ca.pem");
  const connectionString = [
    "DefaultEndpointsProtocol=http",
    `AccountName=${accountName}`,
    `AccountKey=${accountKey}`,
    `BlobEndpoint=http://127.0.0.1:${ports.storage}/${accountName};`,
  ].join(";");
  const webhook = (functionName: string) =>
    `http://127.0.0.1:${ports.host}/runtime/webhooks/EventGrid?functionName=${functionName}&code=${hostKeys.system.eventgrid_extension}`;

  const storage: StorageOptions = {
    stateFolder: stateFolder(home, "storage"),
    port: ports.storage,
    azuritePort: ports.azurite,
    accountName,
    accountKey,
    topic: `/subscriptions/${scope.subscriptionId}/resourceGroups/${scope.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${accountName}`,
    token,
    subscriptions: [
      {
        name: "output-written",
        endpoint: webhook("outputWritten"),
        subjectBeginsWith: `/blobServices/default/containers/azureml-blobstore-${scope.workspaceId}/blobs/mlpipe/runs/`,
        subjectEndsWith: "/.ended.json",
        includedEventTypes: ["Microsoft.Storage.BlobCreated"],
      },
      {
        name: "dataset-arrived",
        endpoint: webhook("datasetArrived"),
        subjectBeginsWith: `/blobServices/default/containers/azureml-blobstore-${scope.workspaceId}/blobs/datasets/`,
        includedEventTypes: ["Microsoft.Storage.BlobCreated"],
      },
    ],
    faults: request.faults?.events,
    knockMs,
  };
  const workspace = {
    stateFolder: stateFolder(home, "workspace"),
    cacheFolder,
    port: ports.workspace,
    mlflowPort: ports.mlflow,
    ...identity,
    token,
    blob: { protocol: "http", endpoint: `127.0.0.1:${ports.storage}`, accountName, accountKey },
    eventEndpoints: [webhook("jobChanged")],
    eventKnockMs: knockMs,
    environmentsFile: join(home, "environments.yml"),
    takesAnyCompute: true,
    faults: request.faults?.workspace,
  };
  const host = {
    appRoot: resolve(request.appRoot ?? packageRoot),
    entry: request.entry ?? "main.ts",
    stateFolder: stateFolder(home, "host"),
    port: ports.host,
  };
  const settings = createHostSettings({
    ...identity,
    workspaceUrl: `https://127.0.0.1:${ports.workspace}`,
    caFile,
    token,
    connectionString,
    port: ports.host,
  });

  const part = (path: string, plan: Omit<PartPlan, "module">): PartPlan => ({
    ...plan,
    module: new URL(path, import.meta.url),
  });
  return {
    parts: {
      storage: part("storage/process.ts", { options: storage, environment }),
      workspace: part("azureml/process.ts", { options: workspace, environment }),
      host: part("host/process.ts", {
        argument: host,
        environment: { ...environment, ...settings, ...request.appSettings },
      }),
    },
    connectionString,
    caFile,
  };
}
