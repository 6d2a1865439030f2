// A registered asset's name and version, out of the forms that a reference to it takes.

export interface AssetName {
  readonly name: string;
  /** Absent for the newest: `azureml:name`, or the label `latest`. */
  readonly version?: string;
  /** A label other than `latest`. */
  readonly label?: string;
  /** Set when it belongs to a registry and not to a workspace. */
  readonly registry?: string;
  /** The workspace that the reference names, as `subscription/group/workspace` in lower case. */
  readonly workspace?: string;
  /** `components`, `data`, `models`, `codes` or `environments`, where the reference says so. */
  readonly type?: string;
}

const shorthand = /^azureml:([^:@/]+)(?::([^:@/]+)|@([^:@/]+))?$/;
const registry = /^azureml:\/\/(?:registries|feeds)\/(?<registry>[^/]+)\//i;
const workspace =
  /^(?:azureml:(?:\/)?)?\/subscriptions\/(?<subscription>[^/]+)\/resourcegroups\/(?<group>[^/]+)\/(?:providers\/microsoft\.machinelearningservices\/)?workspaces\/(?<workspace>[^/]+)\//i;
// The place is the workspace's own: it is known by a number that only the service can tell.
const own = /^azureml:\/\/(?:locations\/[^/]+\/workspaces\/[^/]+\/)?/i;
const asset =
  /^(?<type>components|data|models|codes|environments)\/(?<name>[^/]+)(?:\/versions\/(?<version>[^/]+)|\/labels\/(?<label>[^/]+))?$/i;

/** The asset that `reference` names, or undefined when it names none. */
export function parseAssetName(reference: string): AssetName | undefined {
  const short = shorthand.exec(reference);
  if (short?.[1] !== undefined) return toName(short[1], short[2], short[3]);
  const owner = registry.exec(reference) ?? workspace.exec(reference) ?? own.exec(reference);
  if (owner === null) return undefined;
  const { type, name, version, label } = asset.exec(reference.slice(owner[0].length))?.groups ?? {};
  if (type === undefined || name === undefined) return undefined;
  const { registry: registryName, subscription, group, workspace: workspaceName } = owner.groups ?? {};
  return {
    ...toName(decode(name), version === undefined ? undefined : decode(version), label),
    ...(registryName === undefined ? {} : { registry: registryName }),
    ...(workspaceName === undefined ? {} : { workspace: `${subscription}/${group}/${workspaceName}`.toLowerCase() }),
    type: type.toLowerCase(),
  };
}

function toName(name: string, version?: string, label?: string): AssetName {
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(label === undefined || label === "latest" ? {} : { label }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
