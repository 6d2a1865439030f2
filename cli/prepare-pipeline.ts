// A pipeline file of this machine made ready for a server: read, checked, and everything it names in the store.
import { loadAuthored } from "#authoring/load-authored.ts";
import { checkDocument } from "#shared/domain/compile-plan.ts";
import { DataType } from "#shared/domain/data-types.ts";
import {
  type LoadResult,
  type LocalReference,
  type PipelineDocument,
  loadPipeline,
  withUploads,
} from "#shared/domain/load-pipeline.ts";
import { type Issue, MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { CliContext } from "./context.ts";
import { importPipeline, isModule } from "./import-pipeline.ts";
import { printIssues } from "./report-error.ts";
import type { Store } from "./store-files.ts";
import { storeAll } from "./store-references.ts";

export interface PreparedPipeline {
  readonly document: PipelineDocument;
  readonly localReferences: readonly LocalReference[];
  /** What has been said of it: warnings. */
  readonly issues: readonly Issue[];
  /** Nodes of a kind that cannot run. */
  readonly refusals: readonly Issue[];
}

const files = createFileSource();

interface PrepareOptions {
  /** The caller tells of nodes that cannot run; else they are warnings. */
  readonly tellsRefusals?: boolean;
}

/** Prints warnings. @throws MlpipeError `InvalidRequest` with every issue of the file and of those it names. */
export async function preparePipeline(
  context: CliContext,
  path: string,
  options: PrepareOptions = {},
): Promise<PreparedPipeline> {
  const loaded = isModule(path)
    ? await loadAuthored(await importPipeline(path), path, files)
    : await loadPipeline(path, files);
  return checkLoaded(context, path, loaded, options);
}

/** The same for a pipeline that has been loaded already. @param path what the reader calls it */
export function checkLoaded(
  { terminal }: CliContext,
  path: string,
  { document, localReferences, issues: told }: LoadResult,
  { tellsRefusals = false }: PrepareOptions = {},
): PreparedPipeline {
  // What kept a file from being read has been checked around already.
  const isRead = document !== undefined && told.every(({ severity }) => severity !== "error");
  const { issues: found, refusals } = isRead ? checkDocument(document) : { issues: [], refusals: [] };
  const issues = [...told, ...found];
  const errors = issues.filter((issue) => issue.severity === "error");
  if (document === undefined || errors.length > 0) {
    const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
    const what = document === undefined ? "cannot be read" : `has ${count}`;
    throw new MlpipeError("InvalidRequest", `${path} ${what}; nothing was started`, { issues });
  }
  const warnings = tellsRefusals ? [] : refusals.map((issue) => ({ ...issue, severity: "warning" as const }));
  const said = [...issues, ...warnings];
  printIssues(terminal, said);
  return { document, localReferences, refusals, issues: said };
}

/** The document with the store's URIs in place of the files and folders of this machine. */
export async function storeReferences(
  { document, localReferences }: Pick<PreparedPipeline, "document" | "localReferences">,
  store: Store,
): Promise<PipelineDocument> {
  return withUploads(document, await storeAll(localReferences, store));
}

/** The inputs that have no value yet: data that is declared by type alone, literals without a default. */
export function inputsWithoutValue({ inputs }: PipelineDocument): { name: string; isData: boolean }[] {
  if (typeof inputs !== "object" || inputs === null) return [];
  return Object.entries(inputs).flatMap(([name, input]: [string, unknown]) => {
    if (typeof input !== "object" || input === null || !("type" in input)) return [];
    const isGiven = "path" in input || "default" in input || ("optional" in input && input.optional === true);
    return isGiven ? [] : [{ name, isData: DataType.safeParse(input.type).success }];
  });
}
