// A pipeline's inputs are declarations, those of a job are values: Azure ML's client refuses a declaration there.
import { isDataType } from "#shared/domain/data-types.ts";
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import type { Pipeline } from "./pipeline.ts";

/** The pipeline as a job. `warnings` name the inputs that Azure ML still wants a value for, and those that are left out. */
export function toJob({ name, source }: Pipeline): { readonly job: Mapping; readonly warnings: readonly string[] } {
  // A job's `name` would be that of one run; the pipeline's is the file's.
  const { name: _, inputs, outputs, jobs, ...rest } = source;
  const warnings: string[] = [];
  const values: Record<string, unknown> = {};
  const left = new Set<string>();
  for (const [input, port] of Object.entries(isMapping(inputs) ? inputs : {})) {
    if (!isMapping(port)) continue;
    if (port.default !== undefined) values[input] = port.default;
    else if (port.optional === true) {
      left.add(`\${{parent.inputs.${input}}}`);
      warnings.push(`the input \`${input}\` is left out: a job of Azure ML has no optional inputs`);
    } else {
      values[input] = { type: port.type, ...(port.mode === undefined ? {} : { mode: port.mode }) };
      const set = isDataType(port.type) ? `inputs.${input}.path=...` : `inputs.${input}=...`;
      warnings.push(`the input \`${input}\` has no value: \`az ml job create --set ${set}\``);
    }
  }
  const job = {
    experiment_name: name,
    ...rest,
    ...(Object.keys(values).length === 0 ? {} : { inputs: values }),
    ...(outputs === undefined ? {} : { outputs }),
    jobs: Object.fromEntries(
      Object.entries(isMapping(jobs) ? jobs : {}).map(([node, spec]) => [
        node,
        isMapping(spec) ? without(spec, left) : spec,
      ]),
    ),
  };
  return { job, warnings };
}

/** A node without the inputs that are bound to what is left out. */
function without(node: Mapping, left: ReadonlySet<string>): Mapping {
  if (!isMapping(node.inputs)) return node;
  const kept = Object.entries(node.inputs).filter(([, value]) => {
    const bound = isMapping(value) ? value.path : value;
    return typeof bound !== "string" || !left.has(bound);
  });
  return { ...node, inputs: Object.fromEntries(kept) };
}
