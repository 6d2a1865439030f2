// Macros that Azure ML fills in when a schedule fires: the job's name, and the time of the tick.
import type { InputValue } from "../input-value.ts";
import type { PipelineDocument } from "../pipeline-document.ts";
import { isMapping } from "../shape.ts";
import { keepSource } from "../source-map.ts";

export interface MacroValues {
  /** `${{name}}`: the job's name, which is the run's id. */
  readonly name: string;
  /** `${{creation_context.trigger_time}}`: ISO 8601, UTC. */
  readonly triggerTime: string;
}

const macro = /\$\{\{\s*(name|creation_context\.trigger_time)\s*\}\}/g;

function fillMacros(text: string, { name, triggerTime }: MacroValues): string {
  return text.replace(macro, (_match, which: string) => (which === "name" ? name : triggerTime));
}

/** Inputs with their macros filled in; other expressions stay as they are. */
export function fillInputMacros(
  inputs: Readonly<Record<string, InputValue>>,
  values: MacroValues,
): Record<string, InputValue> {
  const fill = (value: InputValue): InputValue => {
    if (typeof value === "string") return fillMacros(value, values);
    return typeof value === "object" ? { ...value, path: fillMacros(value.path, values) } : value;
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, fill(value)]));
}

/** A pipeline whose own inputs may hold macros too. */
export function fillDocumentMacros(document: PipelineDocument, values: MacroValues): PipelineDocument {
  if (!isMapping(document.inputs)) return document;
  const inputs = Object.fromEntries(
    Object.entries(document.inputs).map(([name, value]) => [name, fillValue(value, values)]),
  );
  return keepSource(document, { ...document, inputs: keepSource(document.inputs, inputs) });
}

function fillValue(value: unknown, values: MacroValues): unknown {
  if (typeof value === "string") return fillMacros(value, values);
  if (!isMapping(value)) return value;
  const filled = Object.entries(value).map(([key, item]) => {
    return [key, ["path", "default"].includes(key) && typeof item === "string" ? fillMacros(item, values) : item];
  });
  return keepSource(value, Object.fromEntries(filled) as Record<string, unknown>);
}
