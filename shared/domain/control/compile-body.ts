// The body of a loop in a plan: nodes of their own that read what changes from one round to the next as outputs of the loop.
import type { LiteralType } from "../data-types.ts";
import { fieldOf } from "../issue-list.ts";
import { settingsOf, sourceInside, typeOf } from "../outputs.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { PlanBody } from "../plan.ts";
import { isMapping } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import type { Value } from "../value.ts";

/** An input of the body that a loop gives values to. */
export interface VaryingInput {
  readonly name: string;
  /** What it holds, where neither the body nor its first value says so. */
  readonly literal?: LiteralType;
  /** There may be rounds in which it has no value. */
  readonly mayBeAbsent: boolean;
}

/** Compiles what `loop` repeats. */
export function compileBody(
  loop: Step,
  body: Step,
  varying: readonly VaryingInput[],
  initial: ReadonlyMap<string, Value | undefined>,
  compiler: PlanCompiler,
): void {
  const values = new Map<string, Value | undefined>(initial);
  for (const input of varying) values.set(input.name, valueOf(loop, body, input, initial.get(input.name)));
  const given = isMapping(body.node.inputs) ? body.node.inputs : {};
  const inputs = { ...Object.fromEntries(varying.map(({ name }) => [name, ""])), ...given };
  const repeated: Step = {
    ...body,
    node: keepSource(body.node, { ...body.node, inputs: keepSource(given, inputs) }),
    values,
  };
  compiler.addBody(loop, body, () => {
    repeated.kind.compile(repeated, compiler);
    return outputsOf(loop, repeated, compiler);
  });
}

function valueOf(loop: Step, body: Step, { name, ...input }: VaryingInput, initial: Value | undefined): Value {
  const declared = body.declaredInputs?.get(name);
  const said = initial?.kind === "data" || initial?.kind === "output" ? initial : undefined;
  const undeclared = input.literal ?? (said?.kind === "output" ? said.literal : undefined);
  const literal = declared === undefined ? undeclared : declared.kind === "literal" ? declared.type : undefined;
  const type = declared?.kind === "data" ? declared.type : (said?.type ?? "uri_folder");
  const mode = (declared?.kind === "data" ? declared.mode : undefined) ?? said?.mode;
  return {
    kind: "output",
    node: loop.flatName,
    output: name,
    type: literal === undefined ? type : "uri_file",
    ...(literal === undefined ? {} : { literal }),
    ...(mode === undefined ? {} : { mode }),
    ...(input.mayBeAbsent ? { mayBeAbsent: true } : {}),
  };
}

function outputsOf(loop: Step, body: Step, compiler: PlanCompiler): PlanBody["outputs"] {
  const outputs: Record<string, { node: string; output: string }> = {};
  for (const name of body.outputs.keys()) {
    const field = fieldOf(`${body.path}.outputs`, body.node.outputs, name);
    const source = sourceInside(body, name, field, compiler);
    if (source === undefined) continue;
    outputs[name] = { node: source.step.flatName, output: source.output };
    const { path } = settingsOf(source.step, source.output);
    if (path !== undefined && !/\$\{\{\s*name\s*\}\}/.test(path))
      compiler.list.error(
        field,
        `\`${body.name}\` is repeated by \`${loop.name}\`, so the place of \`${name}\` needs \${{name}} in it to be another each time`,
      );
  }
  return outputs;
}

/** What an output of the body is, to those who read it. */
export function bodyOutputType(body: Step, output: string, compiler: PlanCompiler): ReturnType<typeof typeOf> {
  const source = sourceInside(body, output, body.field, compiler);
  return source === undefined ? { type: "uri_folder" } : typeOf(source);
}
