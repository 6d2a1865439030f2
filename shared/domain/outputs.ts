// Where an output really comes from, and what all that is said of it on its way to the outside amounts to.
import type { DataType, LiteralType, OutputMode } from "./data-types.ts";
import { loopOf } from "./control/governed.ts";
import type { Field } from "./issue-list.ts";
import type { PlanCompiler, Scope, Step } from "./pipeline-scope.ts";
import type { OutputSettings } from "./ports.ts";
import { promotedTo } from "./promoted-to.ts";
import { isMapping } from "./shape.ts";

export interface OutputSource {
  readonly step: Step;
  readonly output: string;
  /** What it is, where the step does not say so itself. */
  readonly settings?: OutputSettings;
}

/** The step that makes `output` of `step`, inside it when it is a pipeline; undefined after having told that there is none. */
export function sourceOf(step: Step, output: string, field: Field, compiler: PlanCompiler): OutputSource | undefined {
  if (step.isUnknown) return undefined;
  if (!step.outputs.has(output) && output !== "artifacts") {
    const nearest = { name: output, among: step.outputs.keys() };
    compiler.list.error(field, `node \`${step.name}\` has no output \`${output}\``, { nearest });
    return undefined;
  }
  const loop = loopOf(step);
  return loop?.kind.loop === undefined
    ? sourceInside(step, output, field, compiler)
    : loop.kind.loop.readBody(loop, step, output, field, compiler);
}

/** The same for a reader that is repeated together with `step`. */
export function sourceInside(
  step: Step,
  output: string,
  field: Field,
  compiler: PlanCompiler,
): OutputSource | undefined {
  return step.kind.sourceOf === undefined ? { step, output } : step.kind.sourceOf(step, output, field, compiler);
}

/** What an output is, and what literal its file holds where it is a primitive one. What stands nearest to it counts. */
export function typeOf({ step, output, settings }: OutputSource): { type: DataType; literal?: LiteralType } {
  const { type = "uri_folder", literal } = settings ?? settingsOf(step, output);
  return type === "uri_file" && literal !== undefined ? { type, literal } : { type };
}

/** Everything said of an output: for its type the nearest word counts, for the rest the outermost. */
export function settingsOf(step: Step, output: string): OutputSettings & { readonly mode: OutputMode } {
  const own = step.outputs.get(output) ?? {};
  const around = outsideSettings(step, output);
  const type = own.type ?? around.type;
  return { mode: "rw_mount", ...own, ...around, ...(type === undefined ? {} : { type }) };
}

function outsideSettings(step: Step, output: string): OutputSettings {
  const binding = isMapping(step.node.outputs) ? promotedTo(step.node.outputs[output]) : undefined;
  return binding?.kind === "pipelineOutput" ? promotedSettings(step.scope, binding.name) : {};
}

function promotedSettings(scope: Scope, name: string): OutputSettings {
  const own = scope.outputs.get(name) ?? {};
  if (scope.outer === undefined) return own;
  const node = isMapping(scope.outer.node.outputs) ? scope.outer.outputs.get(name) : undefined;
  const around = outsideSettings(scope.outer, name);
  const type = own.type ?? node?.type ?? around.type;
  return { ...own, ...node, ...around, ...(type === undefined ? {} : { type }) };
}
