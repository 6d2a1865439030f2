// The forms in which Azure ML names a place in a datastore.

export interface DatastoreUri {
  readonly datastore: string;
  /** Decoded, without a leading slash; a trailing slash marks a folder. */
  readonly path: string;
}

const short = /^azureml:\/\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/;
const long =
  /^azureml:\/\/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/(?:providers\/[^/]+\/)?workspaces\/[^/]+\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/i;

/** The datastore and path that `uri` names, or undefined when it is no datastore URI. */
export function parseDatastoreUri(uri: string): DatastoreUri | undefined {
  const match = short.exec(uri) ?? long.exec(uri);
  const [, datastore, path] = match ?? [];
  return datastore === undefined || path === undefined ? undefined : { datastore, path };
}

/** The form that names the workspace too, which tools outside a job need. Any other URI stays as it is. @param workspaceId ARM id */
export function toLongDatastoreUri(uri: string, workspaceId: string): string {
  const match = /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/.*\/workspaces\/([^/]+)$/i.exec(workspaceId);
  const place = short.exec(uri);
  if (match === null || place === null) return uri;
  const [, subscription, group, workspace] = match;
  const [, datastore, path] = place;
  return `azureml://subscriptions/${subscription}/resourcegroups/${group}/workspaces/${workspace}/datastores/${datastore}/paths/${path}`;
}
