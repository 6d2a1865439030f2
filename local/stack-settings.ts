// The values by which the embedded stack differs from Azure: the same settings a deployed app has, other contents.
import { homedir } from "node:os";
import { join } from "node:path";

/** Whatever in the user's environment would lead an Azure client, or Node itself, somewhere else. */
const foreign =
  /^(AZURE|AZUREML|ARM|AAD|MSI|IDENTITY|MLFLOW|FUNCTIONS|WEBSITE)_|^(AzureWebJobs|MLPIPE_(CREDENTIAL|CLIENT_ID|ACCESS_TOKEN)$|NODE_OPTIONS$|NODE_EXTRA_CA_CERTS$|IMDS_ENDPOINT$)/i;

/** `own` without anything of the user's Azure; loopback is never asked of a proxy. */
export function createChildEnvironment(own: NodeJS.ProcessEnv, cacheFolder: string): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(own).filter(([name]) => !foreign.test(name)));
  const noProxy = [own.NO_PROXY ?? own.no_proxy, "127.0.0.1", "localhost"].filter(Boolean).join(",");
  return {
    ...kept,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    // Compiled code is kept between starts.
    NODE_COMPILE_CACHE: join(cacheFolder, "node"),
  };
}

export interface HostSettings {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspaceName: string;
  readonly workspaceUrl: string;
  readonly caFile: string;
  readonly token: string;
  readonly connectionString: string;
  readonly port: number;
}

/** The app's settings as `local.settings.example.json` names them. */
export function createHostSettings(values: HostSettings): Record<string, string> {
  return {
    AZURE_SUBSCRIPTION_ID: values.subscriptionId,
    AZURE_RESOURCE_GROUP: values.resourceGroup,
    AZUREML_WORKSPACE_NAME: values.workspaceName,
    AZURE_RESOURCE_MANAGER_ENDPOINT: values.workspaceUrl,
    MLPIPE_CREDENTIAL: "access-token",
    MLPIPE_ACCESS_TOKEN: values.token,
    NODE_EXTRA_CA_CERTS: values.caFile,
    AzureWebJobsStorage: values.connectionString,
    FUNCTIONS_WORKER_RUNTIME: "node",
    MLPIPE_DEPLOYMENT: "embedded",
    MLPIPE_MACHINES_PER_JOB: "1",
    WEBSITE_HOSTNAME: `localhost:${values.port}`,
  };
}

/** Where Python environments and compiled code are kept for all stacks of this user: `MLPIPE_CACHE`, else XDG's cache. */
export function findCacheFolder(environment: NodeJS.ProcessEnv): string {
  const { MLPIPE_CACHE: own, XDG_CACHE_HOME: xdg } = environment;
  if (own !== undefined && own !== "") return own;
  return join(xdg !== undefined && xdg.startsWith("/") ? xdg : join(homedir(), ".cache"), "mlpipe");
}
