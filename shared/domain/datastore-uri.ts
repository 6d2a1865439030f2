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
