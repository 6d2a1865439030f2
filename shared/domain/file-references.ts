// Where a pipeline, component or job names files of this machine. load-parts.ts and load-nodes.ts read them; whoever moves a
// document asks here what has to be written anew.
import { localPathOf } from "./asset-references.ts";
import { isDataType } from "./data-types.ts";
import { parseBinding } from "./expressions.ts";
import { type Mapping, isMapping } from "./shape.ts";
import type { YamlPath } from "./yaml-text.ts";

export interface FileReference {
  readonly path: YamlPath;
  /** As written, without `file:`. */
  readonly reference: string;
  /** A `document` is YAML that can stand in the reference's place. */
  readonly holds: "document" | "anything";
}

/** @param componentIn - gives the component that a file holds, so that texts for its data inputs are known to be paths */
export function fileReferences(
  document: Mapping,
  componentIn: (reference: string) => Mapping | undefined = () => undefined,
): FileReference[] {
  const found: FileReference[] = [];

  function add(path: YamlPath, value: unknown, holds: FileReference["holds"] = "anything"): void {
    if (typeof value !== "string" || parseBinding(value, { allowShort: true }) !== undefined) return;
    const reference = localPathOf(value);
    if (reference !== undefined && reference.trim() !== "") found.push({ path, reference, holds });
  }

  function visit(spec: Mapping, path: YamlPath): void {
    for (const key of ["component", "trial"]) {
      if (isMapping(spec[key])) visit(spec[key], [...path, key]);
      else add([...path, key], spec[key], "document");
    }
    add([...path, "code"], spec.code);
    if (Array.isArray(spec.additional_includes))
      for (const [index, include] of spec.additional_includes.entries())
        add([...path, "additional_includes", index], include);
    visitEnvironment(spec.environment, [...path, "environment"]);
    if (isMapping(spec.task)) visit(spec.task, [...path, "task"]);
    visitInputs(spec, path);
    visitItems(spec.items, [...path, "items"]);
    if (isMapping(spec.jobs))
      for (const [name, node] of Object.entries(spec.jobs)) if (isMapping(node)) visit(node, [...path, "jobs", name]);
  }

  function visitEnvironment(environment: unknown, path: YamlPath): void {
    if (typeof environment === "string" && /^file:|^\.{0,2}\/|\.ya?ml$/.test(environment))
      add(path, environment, "document");
    if (!isMapping(environment)) return;
    const { conda_file: conda, build } = environment;
    if (typeof conda === "string" && !conda.includes("\n")) add([...path, "conda_file"], conda);
    if (isMapping(build)) add([...path, "build", "path"], build.path);
  }

  function visitInputs({ inputs, component }: Mapping, path: YamlPath): void {
    if (!isMapping(inputs)) return;
    const declaring = typeof component === "string" ? componentIn(localPathOf(component) ?? component) : component;
    const declared = isMapping(declaring) && isMapping(declaring.inputs) ? declaring.inputs : {};
    for (const [name, value] of Object.entries(inputs)) {
      const port = declared[name];
      if (isMapping(value)) add([...path, "inputs", name, "path"], value.path);
      else if (isMapping(port) && isDataType(port.type)) add([...path, "inputs", name], value);
    }
  }

  /** Of a loop. */
  function visitItems(items: unknown, path: YamlPath): void {
    const entries = Array.isArray(items)
      ? [...(items as unknown[]).entries()]
      : Object.entries(isMapping(items) ? items : {});
    for (const [key, item] of entries) {
      for (const [name, value] of Object.entries(isMapping(item) ? item : {}))
        if (isMapping(value)) add([...path, key, name, "path"], value.path);
    }
  }

  visit(document, []);
  return found;
}
