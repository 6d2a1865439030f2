// What a text in a `path:`, `code:`, `environment:` or `component:` field refers to: something elsewhere, or a file here.

/** A file or folder beside the document, without its `file:` prefix; undefined when `reference` names anything else. */
export function localPathOf(reference: string): string | undefined {
  if (reference.startsWith("file:")) return reference.replace(/^file:(?:\/\/(?=\/))?/, "");
  return isUri(reference) || isArmId(reference) ? undefined : reference;
}

/**
 * `azureml:name:version`, `azureml:name@label`, `azureml:name`, an ARM id, a registry id or an asset id such as
 * `azureml://data/name/versions/1`: something registered, and no place in a datastore.
 */
export function isRegistered(reference: string): boolean {
  return /^azureml:(?!\/\/)/.test(reference) || isArmId(reference) || assetId.test(reference);
}

const assetId =
  /^azureml:\/\/(?:registries|feeds|locations|(?:subscriptions\/[^/]+\/resourcegroups\/[^/]+\/(?:providers\/[^/]+\/)?workspaces\/[^/]+\/)?(?:components|data|models|codes|environments))\//i;

function isUri(reference: string): boolean {
  // One letter before the colon would be a drive.
  return /^[A-Za-z][A-Za-z0-9+.-]+:/.test(reference);
}

function isArmId(reference: string): boolean {
  return /^\/subscriptions\/[^/]+\/resourcegroups\//i.test(reference);
}

const placeholderPattern = /^local:\d+(?=$|\/)/;

/** Stands in a document for something that has yet to be uploaded. */
export function placeholder(index: number): string {
  return `local:${index}`;
}

/** The placeholder that `reference` begins with. */
export function placeholderIn(reference: string): string | undefined {
  return placeholderPattern.exec(reference)?.[0];
}
