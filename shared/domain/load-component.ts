// From a file or document to one self-contained component, as the registry keeps it.
import type { Issue } from "../errors.ts";
import { checkDocument } from "./compile-plan.ts";
import type { FileSource } from "./file-source.ts";
import { createIssueList, fieldOf } from "./issue-list.ts";
import { createNodeLoader } from "./load-nodes.ts";
import { createLocalFiles } from "./local-files.ts";
import type { LocalReference } from "./local-references.ts";
import { nodeKinds } from "./node-kinds.ts";
import { joinPath } from "./posix-path.ts";
import { describe, isLiteral, isMapping, type Mapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";

export interface ComponentResult {
  /** Undefined when it could not be read at all; otherwise present even beside errors. */
  readonly document: Mapping | undefined;
  readonly localReferences: readonly LocalReference[];
  readonly issues: readonly Issue[];
}

const namePattern = /^[a-z][a-z\d_]{0,254}$/;

/** Reads a component and every file it names. */
export async function loadComponent(path: string, files: FileSource): Promise<ComponentResult> {
  const list = createIssueList();
  const local = createLocalFiles(files, list);
  return finish(await local.file(joinPath("", path), { path: "" }), local, list);
}

/** The same for a component that came without files. */
export async function parseComponent(source: Mapping): Promise<ComponentResult> {
  const list = createIssueList();
  return finish(source, createLocalFiles(undefined, list), list);
}

async function finish(
  read: Mapping | undefined,
  local: ReturnType<typeof createLocalFiles>,
  list: ReturnType<typeof createIssueList>,
): Promise<ComponentResult> {
  if (read === undefined) return { document: undefined, localReferences: [], issues: list.issues };
  const typed = keepSource(read, { ...read, type: read.type ?? (read.jobs === undefined ? "command" : "pipeline") });
  const document = await createNodeLoader(nodeKinds, local, list).node(typed, "");
  const { name, version } = document;
  if (typeof name !== "string" || !namePattern.test(name)) {
    const told = name === undefined ? "a component needs a `name`" : `${describe(name)} is no component name`;
    list.error(fieldOf("", document, "name"), `${told}: a lower-case letter, then letters, digits and \`_\``);
  }
  if (version !== undefined && (!isLiteral(version) || !/^[A-Za-z0-9][\w.-]{0,254}$/.test(String(version)))) {
    list.error(
      fieldOf("", document, "version"),
      `${describe(version)} is no version: letters, digits, \`.\`, \`_\` and \`-\``,
    );
  }
  if (!list.hasErrors) list.add(checkDocument(asPipeline(document)).issues.flatMap(asOwnIssue));
  return { document, localReferences: local.references, issues: list.issues };
}

const only = "only";

/** A pipeline that does nothing but use the component, with every input of it an input of its own. */
function asPipeline(component: Mapping) {
  const declared = Object.entries(isMapping(component.inputs) ? component.inputs : {});
  const inputs = declared.map(
    ([name, declaration]) => [name, isMapping(declaration) ? { type: declaration.type } : {}] as const,
  );
  const bindings = declared.map(([name]) => [name, `\${{parent.inputs.${name}}}`] as const);
  return {
    type: "pipeline" as const,
    inputs: Object.fromEntries(inputs),
    jobs: { [only]: { type: component.type, component, inputs: Object.fromEntries(bindings) } },
  };
}

/** The issue by its place in the component; what the pipeline around it adds is not the author's. */
function asOwnIssue(issue: Issue): Issue[] {
  const [, own] = /^jobs\.only\.component\.(.*)$/s.exec(issue.path) ?? [];
  if (own !== undefined) return [{ ...issue, path: own }];
  return issue.path.startsWith("inputs.") || issue.path.startsWith("jobs.only.inputs.") ? [] : [issue];
}
