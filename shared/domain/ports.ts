// Declarations of inputs and outputs, of components and of pipelines.
import { DataType, InputMode, LiteralType, OutputMode, isDataType, isLiteralType } from "./data-types.ts";
import { parseBinding } from "./expressions.ts";
import { type Field, type IssueList, fieldOf } from "./issue-list.ts";
import { type LiteralDeclaration, coerceLiteral } from "./literals.ts";
import {
  type Mapping,
  anything,
  describe,
  flag,
  isLiteral,
  isMapping,
  listOf,
  number,
  oneOf,
  shape,
  text,
} from "./shape.ts";

export type InputDeclaration = LiteralDeclaration | DataDeclaration;

export interface DataDeclaration {
  readonly kind: "data";
  readonly type: DataType;
  readonly isOptional: boolean;
  readonly mode?: InputMode;
}

/** What may be said of an output, at its component, its node and the pipeline output it becomes. */
export interface OutputSettings {
  readonly type?: DataType;
  readonly mode?: OutputMode;
  readonly path?: string;
  readonly assetName?: string;
  readonly assetVersion?: string;
  /** A primitive output, whose file holds a literal of this type. */
  readonly literal?: LiteralType;
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const pipelineNamePattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const dataTypes: readonly string[] = DataType.options;
const inputMode = oneOf(InputMode.options);
const outputMode = oneOf(OutputMode.options);

/** What other tools call a type. */
const otherWords: Readonly<Record<string, string>> = {
  int: "integer",
  long: "integer",
  float: "number",
  double: "number",
  str: "string",
  text: "string",
  bool: "boolean",
  file: "uri_file",
  folder: "uri_folder",
  directory: "uri_folder",
  model: "mlflow_model",
  table: "mltable",
};

const inputShape = shape({
  type: text,
  description: anything,
  optional: flag,
  default: anything,
  min: number,
  max: number,
  enum: listOf(text),
  mode: inputMode,
  path: anything,
});

const outputShape = shape({
  type: text,
  description: anything,
  mode: outputMode,
  path: text,
  name: text,
  version: text,
  is_control: flag,
  early_available: flag,
});

/** The data type that `name` means; `path` is the older word for a folder. */
export function readDataType(name: string): DataType | undefined {
  const type = name === "path" ? "uri_folder" : name;
  return isDataType(type) ? type : undefined;
}

/** The literal type that `name` means, in any letter case. */
function readLiteralType(name: string): LiteralType | undefined {
  const type = name.toLowerCase();
  return isLiteralType(type) ? type : undefined;
}

/** Checks the keys of `ports`; group inputs of a pipeline carry dots. */
export function checkPortNames(ports: Mapping, path: string, list: IssueList, { allowDots = false } = {}): void {
  for (const name of Object.keys(ports)) {
    if (!(allowDots ? pipelineNamePattern : namePattern).test(name)) {
      list.error(
        fieldOf(path, ports, name),
        `\`${name}\` is no allowed name: letters, digits and \`_\`, not a digit first`,
        { atKey: true },
      );
    }
  }
}

/** The inputs that a component declares. */
export function readInputDeclarations(ports: unknown, path: string, list: IssueList): Map<string, InputDeclaration> {
  const declarations = new Map<string, InputDeclaration>();
  if (!isMapping(ports)) return declarations;
  checkPortNames(ports, path, list, { allowDots: true });
  for (const [name, spec] of Object.entries(ports)) {
    const field = fieldOf(path, ports, name);
    const declaration = readInputDeclaration(spec, field, list);
    if (declaration !== undefined) declarations.set(name, declaration);
  }
  return declarations;
}

/** One declaration; undefined when it declares no type, or after having told what is wrong. */
export function readInputDeclaration(spec: unknown, field: Field, list: IssueList): InputDeclaration | undefined {
  if (!isMapping(spec)) {
    list.error(field, `expected a declaration such as \`{type: integer}\`, got ${describe(spec)}`);
    return undefined;
  }
  const read = inputShape(spec, field, list);
  if (read?.type === undefined) {
    list.error(field, "declares no `type`");
    return undefined;
  }
  const isOptional = read.optional ?? false;
  const dataType = readDataType(read.type);
  if (dataType !== undefined) {
    if (read.default !== undefined) list.warn(fieldOf(field.path, spec, "default"), "a default for data has no effect");
    return { kind: "data", type: dataType, isOptional, ...(read.mode === undefined ? {} : { mode: read.mode }) };
  }
  const type = readLiteralType(read.type);
  if (type === undefined) {
    const among = [...LiteralType.options, ...dataTypes];
    list.error(fieldOf(field.path, spec, "type"), `\`${read.type}\` is no type; it can be ${among.join(", ")}`, {
      nearest: { name: otherWords[read.type.toLowerCase()] ?? read.type, among },
    });
    return { kind: "literal", type: "string", isOptional, broken: "type" };
  }
  const limits = {
    ...(read.min === undefined ? {} : { min: read.min }),
    ...(read.max === undefined ? {} : { max: read.max }),
    ...(read.enum === undefined ? {} : { enum: read.enum }),
  };
  const standard = isLiteral(read.default) ? read.default : undefined;
  if (read.default !== undefined && standard === undefined) {
    list.error(fieldOf(field.path, spec, "default"), `expected a literal, got ${describe(read.default)}`);
  }
  const declaration = { kind: "literal", type, isOptional, ...limits } as const;
  if (standard === undefined) return declaration;
  const coerced = coerceLiteral(standard, declaration);
  if (coerced.value !== undefined) return { ...declaration, default: coerced.value };
  list.error(fieldOf(field.path, spec, "default"), coerced.problem);
  return { ...declaration, broken: "default" };
}

/** The settings of every output in `ports`; null and bindings set nothing. */
export function readOutputs(
  ports: unknown,
  path: string,
  list: IssueList,
  { allowDots = false } = {},
): Map<string, OutputSettings> {
  const outputs = new Map<string, OutputSettings>();
  if (!isMapping(ports)) return outputs;
  checkPortNames(ports, path, list, { allowDots });
  for (const [name, spec] of Object.entries(ports)) {
    const field = fieldOf(path, ports, name);
    if (isMapping(spec)) outputs.set(name, readOutput(spec, field, list));
    else {
      if (spec !== null && typeof spec !== "string")
        list.error(field, `expected \`{type, mode, path}\` or nothing, got ${describe(spec)}`);
      outputs.set(name, {});
    }
  }
  return outputs;
}

function readOutput(spec: Mapping, field: Field, list: IssueList): OutputSettings {
  const read = outputShape(spec, field, list) ?? {};
  const literal = read.type === undefined ? undefined : readLiteralType(read.type);
  const type = literal === undefined ? readDataType(read.type ?? "") : "uri_file";
  if (read.type !== undefined && type === undefined) {
    const among = [...LiteralType.options, ...dataTypes];
    list.error(fieldOf(field.path, spec, "type"), `\`${read.type}\` is no type; it can be ${among.join(", ")}`, {
      nearest: { name: otherWords[read.type.toLowerCase()] ?? read.type, among },
    });
  }
  const isBinding = parseBinding(read.path, { allowShort: true }) !== undefined;
  if (read.path !== undefined && !isBinding && !/^(?:azureml|https|wasbs|abfss?):/.test(read.path)) {
    list.error(
      fieldOf(field.path, spec, "path"),
      "expected `azureml://datastores/<name>/paths/<path>` or another place in storage",
    );
  }
  return {
    ...(type === undefined ? {} : { type }),
    ...(literal === undefined ? {} : { literal }),
    ...(read.mode === undefined ? {} : { mode: read.mode }),
    ...(read.path === undefined || isBinding ? {} : { path: read.path }),
    ...(read.name === undefined ? {} : { assetName: read.name }),
    ...(read.version === undefined ? {} : { assetVersion: read.version }),
  };
}
