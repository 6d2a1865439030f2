// A dataset's declaration as it is written: in `datasets/<name>.yml`, or sent to the API in the same words. Unlike Azure ML's own
// documents it tolerates nothing: a misspelt rule would start runs, or keep them from starting, without a word.
import type { Issue } from "../../errors.ts";
import type { InputValue } from "../input-value.ts";
import { createIssueList, fieldOf, type IssueList } from "../issue-list.ts";
import {
  describe,
  flag,
  isLiteral,
  isMapping,
  listOf,
  type Mapping,
  mapping,
  oneOf,
  positiveInteger,
  recordOf,
  shape,
  text,
} from "../shape.ts";
import { readYaml } from "../read-yaml.ts";
import { type Dataset, datasetMacro, datasetMacros, DatasetName } from "./dataset.ts";
import { parseDatasetPath } from "./place.ts";

export type DeclarationRead =
  | { readonly dataset: Dataset; readonly issues: readonly [] }
  | { readonly dataset: undefined; readonly issues: readonly Issue[] };

const declaration = shape({
  $schema: text,
  name: text,
  description: text,
  datastore: text,
  path: text,
  files: listOf(text),
  ready: text,
  quiet_period: positiveInteger,
  minimum_files: positiveInteger,
  maximum_wait: positiveInteger,
  on_timeout: oneOf(["fail", "start"] as const),
  on_change: oneOf(["new_run", "ignore"] as const),
  allow_empty_files: flag,
  pipeline: text,
  inputs: mapping,
  tags: recordOf(text),
});

const pathMacro = /\$\{\{\s*dataset\.path\s*\}\}/;
const dataInput = shape({ path: text, type: text, mode: text });

/** Longer waits are no waits. */
const longestWaitSeconds = 30 * 86_400;
const defaultWaitSeconds = 86_400;

/** The YAML text of a declaration as a plain mapping; `file` is the name that issues carry. */
export function readDeclarationText(
  source: string,
  file: string,
): { readonly value: Mapping | undefined; readonly issues: readonly Issue[] } {
  const { value, issues } = readYaml(source, file);
  if (issues.length > 0) return { value: undefined, issues };
  if (isMapping(value)) return { value, issues: [] };
  return {
    value: undefined,
    issues: [{ path: "", file, severity: "error", message: `expected a dataset, got ${describe(value)}` }],
  };
}

/**
 * The dataset that a mapping declares, or everything that is wrong with it.
 *
 * @param written as YAML or JSON gave it; issues show the place when it came from YAML
 * @param name what the file, or the address it was sent to, is called
 */
export function parseDeclaration(written: Mapping, name: string): DeclarationRead {
  const list = createIssueList();
  const read = declaration(written, { path: "" }, list) ?? {};
  const at = (key: string) => fieldOf("", written, key);
  const must = (key: "path" | "pipeline") => {
    if (written[key] === undefined || written[key] === null) {
      list.error({ path: key, holder: written }, `a dataset needs \`${key}\``);
    }
    return read[key] ?? "";
  };
  const path = must("path");
  const pipeline = must("pipeline");
  if (!DatasetName.safeParse(name).success) {
    list.error({ path: "name" }, `\`${name}\` is no name for a dataset: letters, digits, \`_\` and \`-\`, at most 60`);
  }
  if (read.name !== undefined && read.name !== name)
    list.error(at("name"), `it is called \`${read.name}\` here and \`${name}\` by its place`);
  if (path !== "") {
    const place = parseDatasetPath(path);
    if (typeof place === "string") list.error(at("path"), place);
  }
  for (const [index, pattern] of (read.files ?? []).entries()) {
    const trouble = patternTrouble(pattern);
    if (trouble !== undefined) list.error(fieldOf("files", written.files, index), trouble);
  }
  if (read.ready !== undefined && (patternTrouble(read.ready) !== undefined || /[*?]/.test(read.ready))) {
    list.error(at("ready"), "`ready` is the name of one file in the version's folder");
  }
  if (
    read.files === undefined &&
    read.ready === undefined &&
    read.quiet_period === undefined &&
    read.minimum_files === undefined
  ) {
    list.error(
      { path: "", holder: written },
      "nothing says when a version is whole: give `files`, `ready`, `quiet_period` or `minimum_files`",
    );
  }
  for (const key of ["quiet_period", "maximum_wait"] as const) {
    if ((read[key] ?? 0) > longestWaitSeconds) list.error(at(key), "it is in seconds, and at most 30 days");
  }
  const maximumWaitSeconds = read.maximum_wait ?? Math.max(defaultWaitSeconds, 2 * (read.quiet_period ?? 0));
  if ((read.quiet_period ?? 0) >= maximumWaitSeconds)
    list.error(at("quiet_period"), "the pause is as long as `maximum_wait`: it could never be seen");
  const inputs = readInputs(read.inputs ?? {}, list);
  if (
    !list.hasErrors &&
    !JSON.stringify(inputs)
      .match(datasetMacro)
      ?.some((macro) => macro.includes("dataset.path"))
  ) {
    list.error(
      Object.hasOwn(written, "inputs") ? at("inputs") : { path: "inputs", holder: written },
      "no input is given the data: one of them takes `${{dataset.path}}`",
    );
  }
  if (list.issues.length > 0) return { dataset: undefined, issues: list.issues.map(asError) };
  return {
    issues: [],
    dataset: {
      name,
      ...(read.description === undefined ? {} : { description: read.description }),
      ...(read.datastore === undefined
        ? {}
        : { datastore: read.datastore.replace(/^azureml:(?:\/\/datastores\/)?/, "") }),
      path,
      files: read.files ?? [],
      ...(read.ready === undefined ? {} : { ready: read.ready }),
      ...(read.quiet_period === undefined ? {} : { quietSeconds: read.quiet_period }),
      minimumFiles: read.minimum_files ?? 1,
      maximumWaitSeconds,
      onTimeout: read.on_timeout ?? "fail",
      onChange: read.on_change ?? "new_run",
      allowsEmptyFiles: read.allow_empty_files ?? false,
      pipeline,
      inputs,
      tags: read.tags ?? {},
    },
  };
}

/** What is a warning in Azure ML's documents is none here. */
function asError(issue: Issue): Issue {
  return { ...issue, message: issue.message.replace("; it has no effect", ""), severity: "error" };
}

function patternTrouble(pattern: string): string | undefined {
  if (pattern.length > 200) return "it is longer than 200 characters";
  if (pattern.startsWith("/") || pattern.endsWith("/"))
    return "it names files in the version's folder: no slash at either end";
  if (pattern.split("/").some((segment) => segment === "" || segment === "." || segment === ".."))
    return "it holds an empty, `.` or `..` segment";
  return undefined;
}

/** `images: ${{dataset.path}}` is short for `images: {path: ${{dataset.path}}}`: data is always given by `path`. */
function readInputs(written: Mapping, list: IssueList): Record<string, InputValue> {
  const inputs: Record<string, InputValue> = {};
  for (const [name, value] of Object.entries(written)) {
    const field = fieldOf("inputs", written, name);
    for (const [, key = ""] of String(isMapping(value) ? value.path : value).matchAll(datasetMacro)) {
      if (!datasetMacros.some((known) => known === key))
        list.error(field, `there is no \`\${{dataset.${key}}}\``, { nearest: { name: key, among: datasetMacros } });
    }
    if (isMapping(value)) {
      const { path, type, mode } = dataInput(value, field, list) ?? {};
      if (path === undefined) list.error(field, "an input that is a mapping is data and needs `path`");
      else inputs[name] = { path, ...(type === undefined ? {} : { type }), ...(mode === undefined ? {} : { mode }) };
    } else if (!isLiteral(value))
      list.error(field, `expected a literal or \`{path, type, mode}\`, got ${describe(value)}`);
    else inputs[name] = typeof value === "string" && pathMacro.test(value) ? { path: value } : value;
  }
  return inputs;
}
