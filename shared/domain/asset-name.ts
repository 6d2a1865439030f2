// A registered asset's name and version, out of the forms that a reference to it takes.

export interface AssetName {
  readonly name: string;
  /** Absent for the newest: `azureml:name`, or the label `latest`. */
  readonly version?: string;
  /** A label other than `latest`. */
  readonly label?: string;
  /** Set when it belongs to a registry and not to the workspace. */
  readonly registry?: string;
}

const shorthand = /^azureml:([^:@/]+)(?::([^@/]+)|@([^@/]+))?$/;
const path =
  /^(?:azureml:)?(?:\/\/(?:registries|feeds)\/([^/]+)|\/subscriptions\/.+\/workspaces\/[^/]+|\/\/locations\/[^/]+\/workspaces\/[^/]+|\/)\/(?:components|data|models|codes|environments)\/([^/]+)(?:\/versions\/([^/]+)|\/labels\/([^/]+))?$/i;

/** The asset that `reference` names, or undefined when it names none. */
export function parseAssetName(reference: string): AssetName | undefined {
  const short = shorthand.exec(reference);
  if (short?.[1] !== undefined) return toName(short[1], short[2], short[3]);
  const long = path.exec(reference);
  return long?.[2] === undefined ? undefined : toName(long[2], long[3], long[4], long[1]);
}

function toName(name: string, version?: string, label?: string, registry?: string): AssetName {
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(label === undefined || label === "latest" ? {} : { label }),
    ...(registry === undefined ? {} : { registry }),
  };
}
