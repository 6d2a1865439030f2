// From a file, a text or a JSON document to one self-contained pipeline document.
import type { Issue } from "../errors.ts";
import { checkDocument } from "./compile-plan.ts";
import { documentSize } from "./document-size.ts";
import type { FileSource } from "./file-source.ts";
import { type IssueList, createIssueList } from "./issue-list.ts";
import { createLocalFiles } from "./local-files.ts";
import type { LocalReference } from "./local-references.ts";
import { createNodeLoader } from "./load-nodes.ts";
import { nodeKinds } from "./node-kinds.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import { joinPath, nameOf } from "./posix-path.ts";
import { readYaml } from "./read-yaml.ts";
import { type Mapping, describe, isMapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";
import { wrapJob } from "./wrap-job.ts";
import { maxExpandedValues } from "./yaml-values.ts";

export { type LocalReference, withUploads } from "./local-references.ts";
export type { PipelineDocument } from "./pipeline-document.ts";

export interface LoadResult {
  /** Undefined when the source could not be read at all; otherwise present even beside errors. */
  readonly document: PipelineDocument | undefined;
  readonly localReferences: readonly LocalReference[];
  readonly issues: readonly Issue[];
}

/** Reads a pipeline (or standalone job, or component) and every file it names into one self-contained document. */
export async function loadPipeline(path: string, files: FileSource): Promise<LoadResult> {
  const list = createIssueList();
  const local = createLocalFiles(files, list);
  const file = joinPath("", path);
  return finish(await local.file(file, { path: "" }), file, local, list);
}

/** The same for text or JSON that came without a file, and usually without files beside it. */
export async function parsePipeline(
  source: string | Readonly<Record<string, unknown>>,
  options: { readonly file?: string; readonly files?: FileSource } = {},
): Promise<LoadResult> {
  const list = createIssueList();
  const local = createLocalFiles(options.files, list, options.file);
  if (typeof source !== "string")
    return finish(isPlainJson(source, list) ? source : undefined, options.file, local, list);
  const { value, issues } = readYaml(source, options.file);
  list.add(issues);
  if (issues.length === 0 && !isMapping(value)) list.error({ path: "" }, `expected a pipeline, got ${describe(value)}`);
  return finish(isMapping(value) ? value : undefined, options.file, local, list);
}

async function finish(
  read: Mapping | undefined,
  file: string | undefined,
  local: ReturnType<typeof createLocalFiles>,
  list: IssueList,
): Promise<LoadResult> {
  if (read === undefined) return { document: undefined, localReferences: [], issues: list.issues };
  const loaded = await createNodeLoader(nodeKinds, local, list).node(withType(read), "");
  const document = withName(wrapJob(loaded), file);
  if (documentSize(document) > maxExpandedValues) {
    list.error(
      { path: "" },
      `the pipeline holds more than ${maxExpandedValues} values once its components are written out`,
    );
    return { document: undefined, localReferences: [], issues: list.issues };
  }
  // Whoever has to mend a file wants to know all that is wrong, not only what kept it from being read whole.
  if (list.hasErrors) {
    const told = new Set(list.issues.map(placeOf));
    list.add(checkDocument(document).issues.filter((issue) => !told.has(placeOf(issue))));
  }
  return { document, localReferences: local.references, issues: list.issues };
}

function placeOf({ file, line, column, path }: Issue): string {
  return JSON.stringify(line === undefined ? path : [file, line, column]);
}

/** A document of a kind that its `type`, `$schema` or content tells; a job without either is a command. */
function withType(read: Mapping): Mapping {
  if (read.type !== undefined && read.type !== null) return read;
  const schema = typeof read.$schema === "string" ? read.$schema : "";
  const named = /(command|pipeline|sweep|spark|parallel|autoML)(?:Job|Component)?\.schema\.json$/i
    .exec(schema)?.[1]
    ?.toLowerCase();
  return keepSource(read, { ...read, type: read.jobs === undefined ? (named ?? "command") : "pipeline" });
}

/** A pipeline without a name has that of its file, or of its folder where every file is called the same. */
function withName(document: PipelineDocument, file: string | undefined): PipelineDocument {
  if (document.name !== undefined || file === undefined) return document;
  const stem = nameOf(file).replace(/\.ya?ml$/i, "");
  const folder = nameOf(joinPath(file, ".."));
  const name = ["pipeline", "job", "component"].includes(stem) && /^[A-Za-z0-9]/.test(folder) ? folder : stem;
  return keepSource(document, { ...document, name: name.replaceAll(/[^A-Za-z0-9_-]/g, "_") });
}

function isPlainJson(source: unknown, list: IssueList): boolean {
  const size = documentSize(source);
  if (size <= maxExpandedValues) return true;
  list.error(
    { path: "" },
    Number.isFinite(size) ? `holds more than ${maxExpandedValues} values` : "is nested too deep, or holds itself",
  );
  return false;
}
