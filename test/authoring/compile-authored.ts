// A pipeline, whichever way it was written, as the plan of a run whose files are uploaded.
import { createHash } from "node:crypto";
import { relative, resolve } from "node:path";
import { loadAuthored } from "#authoring/load-authored.ts";
import type { Pipeline } from "#authoring/pipeline.ts";
import { type CompileResult, compilePlan } from "#shared/domain/compile-plan.ts";
import type { InputValue } from "#shared/domain/input-value.ts";
import { type LoadResult, loadPipeline, withUploads } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";

const files = createFileSource();

export const loadYaml = (path: string) => loadPipeline(path, files);
export const load = (pipeline: Pipeline, file = import.meta.filename) => loadAuthored(pipeline, file, files);

/** @throws Error with every issue of the document. */
export async function compile(
  { document, issues, localReferences }: LoadResult,
  inputs: Readonly<Record<string, InputValue>> = {},
): Promise<NonNullable<CompileResult["plan"]>> {
  const errors = issues.filter(({ severity }) => severity === "error");
  if (document === undefined || errors.length > 0) throw new Error(issues.map(formatIssue).join("\n"));
  const uploads = localReferences.map(({ token, path, additionalIncludes = [] }) => {
    const place = [path, ...additionalIncludes].map((part) => relative(process.cwd(), resolve(part))).join("+");
    const hash = createHash("sha256").update(place).digest("hex");
    return [token, { uri: `azureml://datastores/workspaceblobstore/paths/mlpipe/uploads/${hash}/`, hash }] as const;
  });
  const result = await compilePlan(withUploads(document, Object.fromEntries(uploads)), { inputs });
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  return result.plan;
}
