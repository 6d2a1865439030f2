// The forms in which Azure ML names a place in a datastore.

export interface DatastoreUri {
  readonly datastore: string;
  /** Decoded, without a leading slash; a trailing slash marks a folder. */
  readonly path: string;
  /** The workspace that the long form names, as `subscription/group/workspace` in lower case. */
  readonly workspace?: string;
}

const short = /^azureml:\/\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/;
const long =
  /^azureml:\/\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/(?:providers\/[^/]+\/)?workspaces\/([^/]+)\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/i;

/** The datastore and path that `uri` names, or undefined when it is no datastore URI. */
export function parseDatastoreUri(uri: string): DatastoreUri | undefined {
  const [, shortName, shortPath] = short.exec(uri) ?? [];
  if (shortName !== undefined && shortPath !== undefined) return { datastore: shortName, path: shortPath };
  const [, subscription, group, workspace, datastore, path] = long.exec(uri) ?? [];
  if (datastore === undefined || path === undefined) return undefined;
  return { datastore, path, workspace: [subscription, group, workspace].join("/").toLowerCase() };
}

/** Whether a place is in the workspace of this ARM id, as one that names none is. */
export function isPlaceIn({ workspace }: DatastoreUri, workspaceId: string): boolean {
  const [, subscription, group, name] = armWorkspace.exec(workspaceId) ?? [];
  return workspace === undefined || workspace === [subscription, group, name].join("/").toLowerCase();
}

const armWorkspace = /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/.*\/workspaces\/([^/]+)$/i;

/** The form that names the workspace too, which tools outside a job need. Any other URI stays as it is. @param workspaceId ARM id */
export function toLongDatastoreUri(uri: string, workspaceId: string): string {
  const match = armWorkspace.exec(workspaceId);
  const place = short.exec(uri);
  if (match === null || place === null) return uri;
  const [, subscription, group, workspace] = match;
  const [, datastore, path] = place;
  return `azureml://subscriptions/${subscription}/resourcegroups/${group}/workspaces/${workspace}/datastores/${datastore}/paths/${path}`;
}
