// Declarations of inputs and outputs. Each is the mapping that YAML has in its place; what TypeScript has to know beyond it
// (whether a value must be given, which texts an enum allows) stands in the type alone.
import type { DataType, InputMode, LiteralType, OutputMode } from "#shared/domain/data-types.ts";

/** What comes in when nothing is given: that is a mistake, the default does, or nothing comes. */
export type Presence = "required" | "default" | "optional";

declare const presence: unique symbol;
declare const literal: unique symbol;
declare const bounds: unique symbol;

/** Data, as an input or as an output. */
interface DataPort<
  Type extends DataType,
  Has extends Presence = "required",
  Mode extends InputMode | OutputMode = never,
> {
  readonly type: Type;
  readonly optional?: boolean;
  readonly mode?: Mode;
  readonly description?: string;
  readonly [presence]?: Has;
}

export type DataInput<Type extends DataType = DataType, Has extends Presence = Presence> = DataPort<
  Type,
  Has,
  InputMode
>;
export type DataOutput<Type extends DataType = DataType> = DataPort<Type, "required", OutputMode>;

/** Whether more is said of a literal than its type: of an output nothing more can be. */
type Bounds = "none" | "some";

export interface LiteralInput<
  Type extends LiteralType = LiteralType,
  Value extends Literal = Literal,
  Has extends Presence = Presence,
  Bounded extends Bounds = Bounds,
> {
  readonly type: Type;
  readonly optional?: boolean;
  readonly default?: Literal;
  readonly min?: number;
  readonly max?: number;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly [presence]?: Has;
  readonly [literal]?: Value;
  readonly [bounds]?: Bounded;
}

/** A primitive output: the program writes the value into a file. */
export interface LiteralOutput<Type extends LiteralType = LiteralType> {
  readonly type: Type;
  readonly description?: string;
  readonly [presence]?: "required";
  readonly [bounds]?: "none";
}

export type Literal = string | number | boolean;
export type PortType = DataType | LiteralType;
/** What TypeScript calls the values of a literal type. */
export type ValueOf<Type> = Type extends "string"
  ? string
  : Type extends "number" | "integer"
    ? number
    : Type extends "boolean"
      ? boolean
      : never;

export type InputPorts = Readonly<Record<string, DataInput | LiteralInput>>;
export type OutputPorts = Readonly<Record<string, DataOutput | LiteralOutput>>;
/** The declaration of an output of a type. */
export type OutputPort<Type extends PortType> = Type extends DataType
  ? DataOutput<Type>
  : Type extends LiteralType
    ? LiteralOutput<Type>
    : never;

/** Names of the inputs that must be given. */
export type RequiredNames<Ports extends InputPorts> = {
  [Name in keyof Ports]: Ports[Name] extends { readonly [presence]?: infer Has }
    ? "required" extends Has
      ? Name
      : never
    : never;
}[keyof Ports];

type PresenceOf<Options> = Options extends { readonly default: Literal }
  ? "default"
  : Options extends { readonly optional: true }
    ? "optional"
    : "required";
type BoundsOf<Options> = Options extends
  | { readonly min: number }
  | { readonly max: number }
  | { readonly enum: unknown }
  ? "some"
  : "none";
type ModeOf<Options> = Options extends { readonly mode: infer Mode extends InputMode | OutputMode } ? Mode : never;

interface DataOptions {
  /** Of an input alone. */
  readonly optional?: boolean;
  readonly mode?: InputMode | OutputMode;
  readonly description?: string;
}

interface LiteralOptions {
  readonly optional?: boolean;
  readonly description?: string;
}

interface NumberOptions extends LiteralOptions {
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}

interface TextOptions extends LiteralOptions {
  readonly default?: string;
  readonly enum?: readonly string[];
}

interface FlagOptions extends LiteralOptions {
  readonly default?: boolean;
}

const dataPort =
  <Type extends DataType>(type: Type) =>
  <const Options extends DataOptions = object>(
    options?: Options,
  ): DataPort<Type, PresenceOf<Options>, ModeOf<Options>> =>
    // The options are those of this very type; `mode` is the one that ModeOf read from them.
    ({ type, ...options }) as DataPort<Type, PresenceOf<Options>, ModeOf<Options>>;

export const uriFile = dataPort("uri_file");
export const uriFolder = dataPort("uri_folder");
export const mltable = dataPort("mltable");
export const mlflowModel = dataPort("mlflow_model");
export const customModel = dataPort("custom_model");
export const tritonModel = dataPort("triton_model");

/** Any number. */
export function number<const Options extends NumberOptions = object>(
  options?: Options,
): LiteralInput<"number", number, PresenceOf<Options>, BoundsOf<Options>> {
  return { type: "number", ...options };
}

/** A whole number. */
export function integer<const Options extends NumberOptions = object>(
  options?: Options,
): LiteralInput<"integer", number, PresenceOf<Options>, BoundsOf<Options>> {
  return { type: "integer", ...options };
}

export function boolean<const Options extends FlagOptions = object>(
  options?: Options,
): LiteralInput<"boolean", boolean, PresenceOf<Options>, "none"> {
  return { type: "boolean", ...options };
}

type AllowedText<Options> = Options extends { readonly enum: readonly (infer Text extends string)[] } ? Text : string;

/** Text; with an `enum` only those, the default included. */
export function string(): LiteralInput<"string", string, "required", "none">;
export function string<const Options extends TextOptions>(
  options: Options & { readonly default?: AllowedText<Options> },
): LiteralInput<"string", AllowedText<Options>, PresenceOf<Options>, BoundsOf<Options>>;
export function string(options: TextOptions = {}): LiteralInput<"string", string> {
  return { type: "string", ...options };
}
