import { systemData } from "../job-answer.ts";
import type { Route } from "../route.ts";
import { vmSizes } from "../sizes.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

/** The workspace itself. */
export function createWorkspaceRoutes({ scope, host, store, resources }: WorkspaceContext): Route[] {
  const createdAt = store.remember("createdAt", () => new Date().toISOString());
  return [
    {
      name: "workspaces.get",
      method: "GET",
      path: "",
      handle() {
        const account = String(
          resources.get({ kind: "datastores", name: "workspaceblobstore" })?.properties["accountName"],
        );
        const properties = {
          friendlyName: scope.workspaceName,
          workspaceId: scope.workspaceId,
          tenantId: scope.tenantId,
          provisioningState: "Succeeded",
          storageAccount: `/subscriptions/${scope.subscriptionId}/resourceGroups/${scope.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${account}`,
          discoveryUrl: `https://${host}/discovery`,
          mlFlowTrackingUri: `azureml://${host}/mlflow/v1.0${scope.path}`,
          publicNetworkAccess: "Enabled",
          hbiWorkspace: false,
        };
        const body = {
          id: scope.path,
          name: scope.workspaceName,
          type: "Microsoft.MachineLearningServices/workspaces",
          location: scope.region,
          tags: {},
          kind: "Default",
          sku: { name: "Basic", tier: "Basic" },
          identity: { type: "SystemAssigned" },
          properties,
          systemData: systemData({ createdAt, modifiedAt: createdAt }),
        };
        return { status: 200, body };
      },
    },
  ];
}

/** What lies beside the workspace, below `/subscriptions/{s}/providers/Microsoft.MachineLearningServices/locations/{l}`. */
export function createLocationRoutes(): Route[] {
  return [
    // Every operation of this workspace has ended before its 202 was written.
    {
      name: "operations.get",
      method: "GET",
      path: "/mfeOperationResults/:id",
      handle: () => ({ status: 200 }),
    },
    {
      name: "vmSizes.list",
      method: "GET",
      path: "/vmSizes",
      handle: () => ({
        status: 200,
        body: {
          value: vmSizes.map((size) => ({ ...size, premiumIO: true, lowPriorityCapable: true })),
        },
      }),
    },
  ];
}
