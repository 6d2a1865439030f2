import type { Issue } from "../errors.ts";
import type { FileSource } from "./file-source.ts";
import type { LocalReference } from "./local-references.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
export { type LocalReference, withUploads } from "./local-references.ts";
export type { PipelineDocument } from "./pipeline-document.ts";

export interface LoadResult {
  /** Undefined when the source could not be read at all; otherwise present even beside errors. */
  readonly document: PipelineDocument | undefined;
  readonly localReferences: readonly LocalReference[];
  readonly issues: readonly Issue[];
}

/** Reads a pipeline (or standalone command job, or pipeline component) and every file it names into one self-contained document. */
export async function loadPipeline(path: string, files: FileSource): Promise<LoadResult> {
  void files;
  throw new Error(`not built yet: ${path}`);
}

/** The same for text or JSON that came without files beside it. */
export async function parsePipeline(
  source: string | Readonly<Record<string, unknown>>,
  options: { readonly file?: string; readonly files?: FileSource } = {},
): Promise<LoadResult> {
  void options;
  throw new Error(`not built yet: ${typeof source}`);
}
