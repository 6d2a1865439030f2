import { fieldOf } from "./issue-list.ts";
import type { PlanCompiler } from "./pipeline-scope.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";

/** A pipeline job may name a pipeline component instead of having `jobs:`; then its inputs and outputs fill in that component's. */
export function withoutTopComponent(document: Mapping, compiler: PlanCompiler): Mapping | undefined {
  const { component: reference, ...rest } = document;
  if (reference === undefined || reference === null) return document;
  const field = fieldOf("", document, "component");
  const component = typeof reference === "string" ? compiler.component(reference, field) : reference;
  if (!isMapping(component)) return undefined;
  const declared = isMapping(component.inputs) ? component.inputs : {};
  const given = isMapping(document.inputs) ? document.inputs : {};
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    compiler.list.warn(fieldOf("inputs", given, name), `the component has no input \`${name}\`; it has no effect`, {
      atKey: true,
      nearest: { name, among: Object.keys(declared) },
    });
  }
  const inputs = Object.fromEntries(
    Object.entries(declared).map(([name, spec]) => [name, filledIn(spec, given[name])]),
  );
  const outputs = {
    ...(isMapping(component.outputs) ? component.outputs : {}),
    ...(isMapping(document.outputs) ? withoutNulls(document.outputs) : {}),
  };
  const jobs = component.jobs;
  return keepSource(document, { ...rest, inputs: keepSource(given, inputs), outputs, jobs });
}

/** A declaration with the value that a job gives it. */
function filledIn(declaration: unknown, value: unknown): unknown {
  if (!isMapping(declaration) || value === null || value === undefined) return declaration;
  if (!isMapping(value)) return keepSource(declaration, { ...declaration, default: value });
  return value.path === undefined ? declaration : keepSource(value, { type: declaration.type, ...value });
}

function withoutNulls(values: Mapping): Mapping {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
