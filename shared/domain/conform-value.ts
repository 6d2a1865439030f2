// A value meets the declaration of the input it is given to.
import { isRegistered, localPathOf, placeholderIn } from "./asset-references.ts";
import type { DataType, InputMode } from "./data-types.ts";
import { meantBinding } from "./expressions.ts";
import type { Field } from "./issue-list.ts";
import { type LiteralDeclaration, coerceLiteral, isReadAs } from "./literals.ts";
import type { PlanCompiler } from "./pipeline-scope.ts";
import { type DataDeclaration, type InputDeclaration, readDataType } from "./ports.ts";
import { pythonText } from "./python-text.ts";
import { describe, isMapping } from "./shape.ts";
import { type Value, invalid } from "./value.ts";

/** Data by its place, a registered asset looked up. */
export function readData(
  uri: string,
  field: Field,
  about: { type?: DataType; mode?: InputMode },
  compiler: PlanCompiler,
): Value {
  if (localPathOf(uri) !== undefined) {
    // Without the file beside it the document cannot run, but the loader has told that already when it checks the rest.
    if (!compiler.isCheckOnly) compiler.list.error(field, `\`${uri}\` is a local path; upload it and name the URI`);
    return invalid;
  }
  if (!isRegistered(uri) || placeholderIn(uri) !== undefined) return { kind: "data", uri, ...about };
  const found = compiler.data(uri, field);
  if (found === undefined) return invalid;
  const own = found.type === undefined ? undefined : readDataType(found.type);
  const type = own === undefined || about.type === undefined ? (about.type ?? own) : mountableType(own, about.type);
  return { kind: "data", uri: found.uri, ...about, ...(type === undefined ? {} : { type }) };
}

/** `value` as its declaration wants it. */
export function conform(
  value: Value,
  declaration: InputDeclaration | undefined,
  field: Field,
  compiler: PlanCompiler,
): Value {
  if (declaration === undefined || value.kind === "later" || value.kind === "invalid") return value;
  if (declaration.kind === "literal" && declaration.broken === "type") return invalid;
  return declaration.kind === "literal"
    ? conformLiteral(value, declaration, field, compiler)
    : conformData(value, declaration, field, compiler);
}

function conformLiteral(value: Value, declaration: LiteralDeclaration, field: Field, { list }: PlanCompiler): Value {
  if (value.kind === "output" && value.literal !== undefined) {
    if (isReadAs(value.literal, declaration.type)) return { ...value, literal: declaration.type };
    list.error(field, `expected a ${declaration.type}, got an output that is a ${value.literal}`);
    return invalid;
  }
  if (value.kind !== "literal") {
    list.error(field, `expected a ${declaration.type}, got data`);
    return invalid;
  }
  const coerced = coerceLiteral(value.literal, declaration);
  if (coerced.value === undefined) {
    // Published pipelines give a number to an enum of texts, and Azure ML takes it.
    if (coerced.nearest !== undefined && typeof value.literal === "number" && isWrittenIn(field, value.literal)) {
      list.warn(field, coerced.problem);
      return { kind: "literal", literal: pythonText(value.literal) };
    }
    const wasWord = typeof value.literal === "boolean" && isWrittenIn(field, value.literal);
    list.error(
      field,
      wasWord ? `${coerced.problem}; YAML reads yes, no, on and off as flags, so put text in quotes` : coerced.problem,
      coerced.nearest === undefined ? {} : { nearest: { name: String(value.literal), among: coerced.nearest } },
    );
    return invalid;
  }
  if (coerced.note !== undefined) list.warn(field, coerced.note);
  return { kind: "literal", literal: coerced.value };
}

/** Whether the author wrote the value here, and no binding brought it from elsewhere. */
function isWrittenIn({ holder, key }: Field, literal: unknown): boolean {
  return isMapping(holder) && key !== undefined && holder[key] === literal;
}

function conformData(value: Value, declaration: DataDeclaration, field: Field, compiler: PlanCompiler): Value {
  const mode = declaration.mode === undefined ? {} : { mode: declaration.mode };
  if (value.kind === "literal") {
    const isPlace = typeof value.literal === "string" && meantBinding(value.literal) === undefined;
    if (
      typeof value.literal === "string" &&
      isPlace &&
      (localPathOf(value.literal) === undefined || compiler.isCheckOnly)
    ) {
      return readData(value.literal, field, { type: declaration.type, ...mode }, compiler);
    }
    compiler.list.error(
      field,
      `expected data (${declaration.type}), got ${describe(value.literal)}; write \`{type: ${declaration.type}, path: ...}\``,
    );
    return invalid;
  }
  if (value.kind !== "data" && value.kind !== "output") return value;
  const type = mountableType(value.type, declaration.type);
  if (value.kind === "data") return { ...mode, ...value, type };
  const { literal: _text, ...file } = value;
  return { ...mode, ...file, type };
}

/** Samples give a folder to an `mltable` input and so on, so the declared type counts; but a file is no folder. */
export function mountableType(given: DataType | undefined, declared: DataType): DataType {
  return given !== undefined && (given === "uri_file") !== (declared === "uri_file") ? given : declared;
}
