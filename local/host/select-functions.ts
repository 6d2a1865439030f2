// Which functions this host can run whole. One with a binding that nobody serves would lose its data silently.
import type { BindingMetadata, Extension, FunctionMetadata } from "./contract.ts";

const ownTriggers = ["httptrigger", "timertrigger", "eventgridtrigger"];
const durableTriggers = ["orchestrationtrigger", "activitytrigger", "entitytrigger"];

export interface FunctionSelection {
  readonly supported: readonly FunctionMetadata[];
  readonly refused: readonly { functionName: string; reason: string }[];
}

export function selectFunctions(
  functions: readonly FunctionMetadata[],
  extension: Extension | undefined,
): FunctionSelection {
  const judged = functions.map((metadata) => ({
    metadata,
    reason: reasonAgainst(metadata, extension),
  }));
  return {
    supported: judged.flatMap(({ metadata, reason }) => (reason === undefined ? [metadata] : [])),
    refused: judged.flatMap(({ metadata, reason }) =>
      reason === undefined ? [] : [{ functionName: metadata.name, reason }],
    ),
  };
}

/** Type of the trigger binding, lower case. */
export function triggerOf(metadata: FunctionMetadata): string | undefined {
  return Object.values(metadata.bindings)
    .map(({ type }) => type.toLowerCase())
    .find((type) => type.endsWith("trigger"));
}

function reasonAgainst(metadata: FunctionMetadata, extension: Extension | undefined): string | undefined {
  const trigger = triggerOf(metadata);
  const isKnown =
    trigger !== undefined &&
    (ownTriggers.includes(trigger) || (extension !== undefined && durableTriggers.includes(trigger)));
  if (!isKnown) return `its trigger "${trigger ?? "none"}" is not served by this host`;
  const foreign = Object.values(metadata.bindings).find((binding) => !isServed(binding, extension));
  return foreign === undefined
    ? undefined
    : `its ${foreign.direction}put binding "${foreign.type}" is not served by this host`;
}

function isServed(binding: BindingMetadata, extension: Extension | undefined): boolean {
  const type = binding.type.toLowerCase();
  if (type.endsWith("trigger")) return true;
  return binding.direction === "out" ? type === "http" : extension?.inputBinding(binding) !== undefined;
}
