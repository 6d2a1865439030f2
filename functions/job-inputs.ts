// What a node's inputs are once the nodes before it have run: literals and places.
import { inputModes, type LiteralType } from "#shared/domain/data-types.ts";
import { coerceLiteral } from "#shared/domain/literals.ts";
import type { PlanInput } from "#shared/domain/plan.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { OutputText } from "./output-text.ts";

type ResolvedInput =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "data"; readonly type: string; readonly uri: string; readonly mode: keyof typeof inputModes };

export type ResolvedInputs = Readonly<Record<string, ResolvedInput>>;

/**
 * The inputs with the upstream outputs they read; an optional one whose output is not there has no value and is left out.
 *
 * @param upstream `node.output` -> URI
 * @throws MlpipeError `InvalidRequest` or `NotFound`, naming the input, when an output is missing or holds no such literal
 */
export async function resolveInputs(
  inputs: Readonly<Record<string, PlanInput>>,
  upstream: Readonly<Record<string, string>>,
  readOutputText: OutputText,
): Promise<ResolvedInputs> {
  const entries = Object.entries(inputs).map(async ([name, input]): Promise<[string, ResolvedInput][]> => {
    if (input.kind !== "output") return [[name, input]];
    const { type, mode, literal, isOptional } = input;
    const uri = upstream[`${input.node}.${input.output}`];
    if (uri === undefined && isOptional === true) return [];
    if (uri === undefined)
      throw new MlpipeError("NotFound", `input \`${name}\`: node \`${input.node}\` made no \`${input.output}\``);
    if (literal === undefined) return [[name, { kind: "data", type, uri, mode }]];
    const what = `input \`${name}\`: the output \`${input.output}\` of \`${input.node}\``;
    return [[name, { kind: "literal", value: toLiteral(await readOutputText(uri, what), literal, what) }]];
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

function toLiteral(text: string, type: LiteralType, what: string): string {
  const coerced = coerceLiteral(text, { type });
  if (coerced.value === undefined) throw new MlpipeError("InvalidRequest", `${what}: ${coerced.problem}`);
  return coerced.value;
}

/** As the REST API of jobs takes them. */
export function toJobInputs(inputs: ResolvedInputs): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      input.kind === "literal"
        ? { jobInputType: "literal", value: input.value }
        : { jobInputType: input.type, uri: input.uri, mode: inputModes[input.mode] },
    ]),
  );
}
