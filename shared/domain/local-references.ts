import { placeholderIn } from "./asset-references.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import { keepSource } from "./source-map.ts";

/** A file or folder beside the YAML that has to be uploaded before a run can start. */
export interface LocalReference {
  /** The placeholder that stands in the document; for a single file of data it is followed by `/` and the file's name. */
  readonly token: string;
  readonly kind: "code" | "data";
  /** In the file source's terms. */
  readonly path: string;
  /** Further files and folders that are merged into the snapshot's root. */
  readonly additionalIncludes?: readonly string[];
  /** The field that names it first, e.g. `jobs.train.code`. */
  readonly usedBy: string;
}

/** Where a placeholder may stand; the same text elsewhere is the author's own. */
const uploadedFields = new Set(["code", "path"]);

/** The document with uploaded URIs in place of the placeholders; one that `uris` does not name stays. */
export function withUploads(
  document: PipelineDocument,
  uris: Readonly<Record<string, { uri: string; hash: string }>>,
): PipelineDocument {
  // One copy of each shared part, so that a component used a hundred times is still one.
  const copies = new Map<object, unknown>();

  function replace(value: unknown, key: string | undefined): unknown {
    if (typeof value === "string") return key !== undefined && uploadedFields.has(key) ? replaceText(value) : value;
    if (typeof value !== "object" || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const copy = Array.isArray(value)
      ? (value as unknown[]).map((item) => replace(item, key))
      : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, name)]));
    copies.set(value, keepSource(value, copy));
    return copy;
  }

  function replaceText(value: string): string {
    const token = placeholderIn(value);
    if (token === undefined || !Object.hasOwn(uris, token)) return value;
    const uri = uris[token]?.uri ?? token;
    const rest = value.slice(token.length + 1);
    return rest === "" ? uri : `${uri.replace(/\/$/, "")}/${rest}`;
  }

  // Replacing texts leaves the document's form as it was.
  return replace(document, undefined) as PipelineDocument;
}
