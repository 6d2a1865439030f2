// Who this workspace is: its ARM path, ids derived from it, and the names every answer repeats.
import { createHash } from "node:crypto";

export interface WorkspaceScope {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspaceName: string;
  readonly region: string;
  readonly tenantId: string;
  /** `/subscriptions/{s}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/workspaces/{ws}`. */
  readonly path: string;
  /** GUID, the same for the same ARM path. */
  readonly workspaceId: string;
}

export interface WorkspaceName {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspaceName: string;
  /** Azure region it claims to be in, `eastus` when not said. */
  readonly region?: string;
}

/** A GUID that depends on `text` alone. */
function deriveGuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

export function createScope(name: WorkspaceName): WorkspaceScope {
  const { subscriptionId, resourceGroup, workspaceName } = name;
  const path = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspaceName}`;
  return {
    subscriptionId,
    resourceGroup,
    workspaceName,
    region: name.region ?? "eastus",
    tenantId: deriveGuid(`tenant ${subscriptionId}`),
    path,
    workspaceId: deriveGuid(path.toLowerCase()),
  };
}

export interface AssetReference {
  /** `codes`, `environments`, `components`, `data`, `models`. */
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  /** Set for an asset of a registry, which no workspace holds. */
  readonly registry?: string;
}

const armAsset =
  /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.machinelearningservices\/workspaces\/([^/]+)\/(codes|environments|components|data|models)\/([^/]+)\/(versions|labels)\/([^/]+)$/i;
const registryAsset =
  /^azureml:\/\/(?:registries|feeds)\/([^/]+)\/(codes|environments|components|data|models)\/([^/]+)\/(versions|labels)\/([^/]+)$/i;
const shortAsset =
  /^azureml:\/\/(?:locations\/[^/]+\/workspaces\/[^/]+\/)?(codes|environments|components|data|models)\/([^/]+)\/versions\/([^/]+)$/i;

/**
 * Reads an asset id: ARM (bare or after `azureml:`), registry, or `azureml://{kind}/{name}/versions/{version}`.
 * A label comes back as version `@{label}`. Undefined when it is no asset id, or one of another workspace.
 */
export function parseAssetId(scope: WorkspaceScope, id: string): AssetReference | undefined {
  const text = id.startsWith("azureml:/subscriptions/") ? id.slice("azureml:".length) : id;
  const toReference = (kind = "", name = "", form = "", version = ""): AssetReference => ({
    kind: kind.toLowerCase(),
    name: decodeURIComponent(name),
    version: `${form.toLowerCase() === "labels" ? "@" : ""}${decodeURIComponent(version)}`,
  });
  const arm = armAsset.exec(text);
  if (arm !== null) {
    const [, subscription, group, workspace, kind, name, form, version] = arm;
    const owner = [subscription, group, workspace].join("/").toLowerCase();
    const ours = [scope.subscriptionId, scope.resourceGroup, scope.workspaceName].join("/").toLowerCase();
    return owner === ours ? toReference(kind, name, form, version) : undefined;
  }
  const registry = registryAsset.exec(text);
  if (registry !== null) {
    const [, owner = "", kind, name, form, version] = registry;
    return { ...toReference(kind, name, form, version), registry: owner };
  }
  const short = shortAsset.exec(text);
  return short === null ? undefined : toReference(short[1], short[2], "versions", short[3]);
}
