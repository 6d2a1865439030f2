// The inputs of the outermost pipeline: what the document says, and what the caller gives for this run.
import { localPathOf } from "./asset-references.ts";
import { InputMode } from "./data-types.ts";
import { type Field, fieldOf } from "./issue-list.ts";
import type { InputValue } from "./input-value.ts";
import type { PlanCompiler } from "./pipeline-scope.ts";
import { type InputDeclaration, checkPortNames, readDataType, readInputDeclaration } from "./ports.ts";
import { type Mapping, anything, describe, isLiteral, isMapping, oneOf, shape, text } from "./shape.ts";
import { conform, readData } from "./conform-value.ts";
import { type Value, invalid } from "./value.ts";

const inputMode = oneOf(InputMode.options);
const valueShape = shape({ type: text, path: text, mode: inputMode, description: anything, name: text, version: text });

interface PipelineInput {
  readonly declaration: InputDeclaration | undefined;
  readonly value: Value | undefined;
}

/** Each input's value for this run; undefined for an optional one that has none. */
export function readPipelineInputs(
  written: unknown,
  given: Readonly<Record<string, InputValue>>,
  compiler: PlanCompiler,
): ReadonlyMap<string, Value | undefined> {
  const { list } = compiler;
  const declared = isMapping(written) ? written : {};
  checkPortNames(declared, "inputs", list, { allowDots: true });
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declared, name)) {
      list.error({ path: `inputs.${name}` }, `the pipeline has no input \`${name}\``, {
        nearest: { name, among: Object.keys(declared) },
      });
    }
  }
  const inputs = new Map<string, Value | undefined>();
  for (const name of Object.keys(declared)) {
    const field = fieldOf("inputs", declared, name);
    const input = readInput(declared, name, field, compiler);
    const override = Object.hasOwn(given, name) ? given[name] : undefined;
    const value =
      override === undefined ? input.value : readGiven(override, input, { path: `inputs.${name}` }, compiler);
    inputs.set(name, value ?? withoutValue(name, input.declaration, field, compiler));
  }
  return inputs;
}

function withoutValue(
  name: string,
  declaration: InputDeclaration | undefined,
  field: Field,
  compiler: PlanCompiler,
): Value | undefined {
  if (declaration?.isOptional === true) return undefined;
  if (compiler.isCheckOnly) return { kind: "later" };
  const type = declaration === undefined ? "" : ` (${declaration.type})`;
  compiler.list.error(field, `the input \`${name}\`${type} has no value; give it when the run starts`, { atKey: true });
  return invalid;
}

function readInput(declared: Mapping, name: string, field: Field, compiler: PlanCompiler): PipelineInput {
  const written = declared[name];
  if (isLiteral(written)) return { declaration: undefined, value: { kind: "literal", literal: written } };
  if (written === null || written === undefined) return { declaration: undefined, value: undefined };
  if (!isMapping(written)) {
    compiler.list.error(field, `expected a literal or \`{type, path}\`, got ${describe(written)}`);
    return { declaration: undefined, value: invalid };
  }
  if (written.path === undefined || written.path === null) {
    const declaration = readInputDeclaration(written, field, compiler.list);
    if (declaration === undefined) return { declaration, value: invalid };
    if (declaration.kind === "literal" && declaration.broken !== undefined) return { declaration, value: invalid };
    const isGiven = declaration.kind === "literal" && declaration.default !== undefined;
    return { declaration, value: isGiven ? { kind: "literal", literal: declaration.default } : undefined };
  }
  const { type: typeName = "uri_folder", path = "", mode } = valueShape(written, field, compiler.list) ?? {};
  const type = readDataType(typeName);
  if (type === undefined)
    compiler.list.error(
      fieldOf(field.path, written, "type"),
      `\`${typeName}\` is no data type, so it takes no \`path\``,
    );
  const declaration: InputDeclaration = { kind: "data", type: type ?? "uri_folder", isOptional: false };
  const about = { type: declaration.type, ...(mode === undefined ? {} : { mode }) };
  return { declaration, value: readData(path, fieldOf(field.path, written, "path"), about, compiler) };
}

/** A value from the request, which has no place in the document. */
function readGiven(given: InputValue, { declaration }: PipelineInput, field: Field, compiler: PlanCompiler): Value {
  if (typeof given !== "object") {
    if (declaration?.kind === "data" && typeof given === "string" && localPathOf(given) !== undefined) {
      compiler.list.error(field, `\`${given}\` is a local path; upload it and give the URI`);
      return invalid;
    }
    return conform({ kind: "literal", literal: given }, declaration, field, compiler);
  }
  const type = given.type === undefined ? declaration?.type : readDataType(given.type);
  if (given.type !== undefined && type === undefined) {
    compiler.list.error({ path: `${field.path}.type` }, `${describe(given.type)} is no data type`);
    return invalid;
  }
  const dataType = type === undefined ? undefined : readDataType(type);
  const mode =
    given.mode === undefined ? undefined : inputMode(given.mode, { path: `${field.path}.mode` }, compiler.list);
  const about = { ...(dataType === undefined ? {} : { type: dataType }), ...(mode === undefined ? {} : { mode }) };
  return conform(readData(given.path, { path: `${field.path}.path` }, about, compiler), declaration, field, compiler);
}
