// A step's inputs as its plan holds them.
import type { Step } from "../pipeline-scope.ts";
import type { PlanInput } from "../plan.ts";
import { pythonText } from "../python-text.ts";
import type { Value } from "../value.ts";

/** Inputs without a value are left out. */
export function planInputs(inputs: ReadonlyMap<string, Value | undefined>, step: Step): Record<string, PlanInput> {
  const planned: Record<string, PlanInput> = {};
  for (const [name, value] of inputs) {
    if (value?.kind === "literal") planned[name] = { kind: "literal", value: pythonText(value.literal) };
    if (value?.kind === "data")
      planned[name] = {
        kind: "data",
        type: value.type ?? "uri_folder",
        uri: value.uri,
        mode: value.mode ?? "ro_mount",
      };
    if (value?.kind === "output") {
      const { node, output, type, literal, mode = "ro_mount" } = value;
      const isOptional = value.mayBeAbsent ?? step.declaredInputs?.get(name)?.isOptional === true;
      planned[name] = {
        kind: "output",
        type,
        node,
        output,
        mode,
        ...(literal === undefined ? {} : { literal }),
        ...(isOptional ? { isOptional } : {}),
      };
    }
  }
  return planned;
}
