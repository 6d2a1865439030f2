// Variables the service gives every job. Names and values as real jobs show them; paths are the executor's to add.
import type { WorkspaceScope } from "./workspace-scope.ts";

export interface ServiceEnvironmentOptions {
  readonly scope: WorkspaceScope;
  /** https origin of the workspace, no trailing slash. */
  readonly url: string;
  /** Origin of the tracking listener a job can trust without a certificate. */
  readonly mlflowUrl: string;
  readonly jobName: string;
  readonly experimentName: string;
  readonly experimentId: string;
  readonly runToken: { readonly token: string; readonly expiresAt: number };
}

export function createServiceEnvironment(options: ServiceEnvironmentOptions): Record<string, string> {
  const { scope, url, mlflowUrl, jobName, experimentName, experimentId, runToken } = options;
  const context = {
    subscription_id: scope.subscriptionId,
    resource_group: scope.resourceGroup,
    workspace_name: scope.workspaceName,
    workspace_id: scope.workspaceId,
    service_endpoint: url,
    discovery_endpoint: `${url}/discovery`,
    experiment_name: experimentName,
    experiment_id: experimentId,
    root_run_id: jobName,
    run_id: jobName,
    run_token: runToken.token,
    run_history_service_endpoint: url,
    data_container_id: `dcid.${jobName}`,
    run_uuid: jobName,
  };
  return {
    AZUREML_RUN_ID: jobName,
    AZUREML_ROOT_RUN_ID: jobName,
    AZUREML_EXPERIMENT_ID: experimentId,
    AZUREML_EXPERIMENT_SCOPE: `${scope.path}/experiments/${experimentName}`,
    AZUREML_ARM_SUBSCRIPTION: scope.subscriptionId,
    AZUREML_ARM_RESOURCEGROUP: scope.resourceGroup,
    AZUREML_ARM_WORKSPACE_NAME: scope.workspaceName,
    AZUREML_ARM_PROJECT_NAME: experimentName,
    AZUREML_WORKSPACE_ID: scope.workspaceId,
    AZUREML_WORKSPACE_SCOPE: scope.path,
    AZUREML_SERVICE_ENDPOINT: url,
    AZUREML_RUN_HISTORY_SERVICE_ENDPOINT: url,
    AZUREML_DISCOVERY_SERVICE_ENDPOINT: `${url}/discovery`,
    AZUREML_RUN_TOKEN: runToken.token,
    AZUREML_RUN_TOKEN_EXPIRY: String(Math.floor(runToken.expiresAt / 1000)),
    AZUREML_CR_AZUREML_CONTEXT: JSON.stringify(context),
    MLFLOW_TRACKING_URI: mlflowUrl,
    MLFLOW_TRACKING_TOKEN: runToken.token,
    MLFLOW_RUN_ID: jobName,
    MLFLOW_EXPERIMENT_ID: experimentId,
    MLFLOW_EXPERIMENT_NAME: experimentName,
  };
}
