// A pipeline file of this machine made ready for a server: read, checked, and everything it names in the store.
import { relative } from "node:path";
import { type LocalReference, type PipelineDocument, loadPipeline, withUploads } from "#shared/domain/load-pipeline.ts";
import { snapshotFiles } from "#shared/domain/snapshot.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { CliContext } from "./context.ts";
import { printIssues } from "./report-error.ts";
import type { Store } from "./store-files.ts";

export interface PreparedPipeline {
  readonly document: PipelineDocument;
  readonly localReferences: readonly LocalReference[];
}

const files = createFileSource();

/** Prints warnings. @throws MlpipeError `InvalidRequest` with every issue of the file and of those it names. */
export async function preparePipeline({ terminal }: CliContext, path: string): Promise<PreparedPipeline> {
  const { document, localReferences, issues } = await loadPipeline(path, files);
  const errors = issues.filter((issue) => issue.severity === "error");
  if (document === undefined || errors.length > 0) {
    const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
    throw new MlpipeError("InvalidRequest", `${path} has ${count}; nothing was started`, { issues });
  }
  printIssues(terminal, issues);
  return { document, localReferences };
}

/** The document with the store's URIs in place of the files and folders of this machine. */
export async function storeReferences(
  { document, localReferences }: PreparedPipeline,
  store: Store,
): Promise<PipelineDocument> {
  const uris: Record<string, { uri: string; hash: string }> = {};
  for (const reference of localReferences) {
    const found = await snapshotFiles(reference, files);
    const locals = found.map(({ path, source }) => ({ path, localPath: source }));
    uris[reference.token] = await store(relative(process.cwd(), reference.path), locals);
  }
  return withUploads(document, uris);
}
