// Fields as YAML has them: references as bindings, a wish list of sizes as the first and its fall-backs, nothing undefined.
import { isReference, textOf } from "./references.ts";
import { localPathOf } from "#shared/domain/asset-references.ts";
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import type { Environment } from "./fields.ts";
import { fromModule } from "./local-path.ts";
import type { OutputPorts } from "./ports.ts";

/** @param usedBy - what an error names, e.g. `node train`. */
export function writeFields(fields: Mapping, scope: object, usedBy: string): Record<string, unknown> {
  const written = write(fields, scope, usedBy) as Record<string, unknown>; // a mapping stays one
  if (isMapping(written.resources)) written.resources = withoutWishList(written.resources);
  return written;
}

function write(value: unknown, scope: object, usedBy: string): unknown {
  if (isReference(value)) return textOf(value, scope, usedBy);
  if (Array.isArray(value)) return (value as unknown[]).map((item) => write(item, scope, usedBy));
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, write(item, scope, usedBy)]));
}

/** Azure ML's schema has one size; the others go where mlpipe looks for them and `az ml` lets anything stand. */
function withoutWishList(resources: Mapping): Mapping {
  const { instance_type: sizes, properties } = resources;
  if (!Array.isArray(sizes)) return resources;
  const [first, ...fallbacks] = sizes as unknown[];
  const own = isMapping(properties) ? properties : {};
  const mlpipe = { instance_type_fallbacks: fallbacks, ...(isMapping(own.mlpipe) ? own.mlpipe : {}) };
  const kept = { ...resources, ...(first === undefined ? {} : { instance_type: first }) };
  return fallbacks.length === 0 ? kept : { ...kept, properties: { ...own, mlpipe } };
}

/** Azure ML's schema has the size of a mini-batch as text. */
export function writeMiniBatches(fields: Mapping): Mapping {
  const { mini_batch_size: size } = fields;
  return typeof size === "number" ? { ...fields, mini_batch_size: String(size) } : fields;
}

/** The `outputs:` of a component. Azure ML decides only by what is said to be for control. */
export function writeOutputs(outputs: OutputPorts | undefined): { outputs?: Readonly<Record<string, unknown>> } {
  if (outputs === undefined) return {};
  return { outputs: Object.fromEntries(Object.entries(outputs).map(([name, port]) => [name, writeOutput(port)])) };
}

export function writeOutput<Port extends { readonly type: string }>(port: Port): Port | (Port & { is_control: true }) {
  return port.type === "boolean" ? { ...port, is_control: true } : port;
}

/** An environment with its files found from the module `from`. */
export function writeEnvironment(environment: Environment, from: string | undefined): unknown {
  if (typeof environment === "string")
    return /^file:|^\.{0,2}\/|\.ya?ml$/.test(environment) ? fromModule(environment, from) : environment;
  const { conda_file: conda, build } = environment;
  return {
    ...environment,
    ...(typeof conda === "string" && !conda.includes("\n") ? { conda_file: fromModule(conda, from) } : {}),
    ...(build === undefined ? {} : { build: { ...build, path: fromModule(build.path, from) } }),
  };
}

/** The value of a node's input: a literal, a binding, or data. */
export function writeInput(value: unknown, scope: object, from: string | undefined, usedBy: string): unknown {
  const written = write(value, scope, usedBy);
  if (!isMapping(written) || typeof written.path !== "string" || localPathOf(written.path) === undefined)
    return written;
  return { ...written, path: written.path.includes("${{") ? written.path : fromModule(written.path, from) };
}
