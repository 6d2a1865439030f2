import type { FileSource } from "#shared/domain/file-source.ts";
import { type LoadResult, parsePipeline } from "#shared/domain/load-pipeline.ts";
import { checkPorts } from "./check-ports.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * A pipeline written in TypeScript with every file it names, as `loadPipeline` gives one written in YAML.
 *
 * @param file - the module it stands in, in the terms of `files`; paths that name no module of their own are relative to it
 */
export async function loadAuthored(pipeline: Pipeline, file: string, files: FileSource): Promise<LoadResult> {
  const loaded = await parsePipeline(pipeline.source, { file, files });
  const differences = loaded.document === undefined ? [] : checkPorts(pipeline, loaded.document);
  const issues = [...loaded.issues, ...differences].map((issue) =>
    issue.file === undefined ? { ...issue, file } : issue,
  );
  return { ...loaded, issues };
}
