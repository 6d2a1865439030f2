// What flows between the nodes of a pipeline: its inputs, and the outputs of its nodes. A reference belongs to the body of
// one pipeline; `Scope` is that body's own type parameter, so that no other body takes it.
import type { DataType, InputMode, LiteralType } from "#shared/domain/data-types.ts";
import { MlpipeError } from "#shared/errors.ts";
import type {
  DataInput,
  InputPorts,
  Literal,
  LiteralInput,
  OutputPorts,
  PortType,
  Presence,
  RequiredNames,
  ValueOf,
} from "./ports.ts";

declare const owner: unique symbol;
declare const carried: unique symbol;

/** Where a reference leads. */
type From = "input" | "node";

interface Reference<Carried, Scope> {
  readonly [carried]: Carried;
  readonly [owner]: (scope: Scope) => Scope;
}

/** Data: an input of the pipeline or an output of a node. */
export type DataReference<Type extends DataType, Has extends Presence, Scope, Leads extends From = From> = Reference<
  { readonly type: Type; readonly presence: Has; readonly from: Leads },
  Scope
>;
/** A literal: an input of the pipeline or a primitive output of a node. */
export type LiteralReference<
  Type extends LiteralType,
  Value extends Literal,
  Has extends Presence,
  Scope,
  Leads extends From = From,
> = Reference<{ readonly type: Type; readonly value: Value; readonly presence: Has; readonly from: Leads }, Scope>;
export type NodeOutput<Type extends PortType, Scope> = Reference<
  { readonly type: Type; readonly value: ValueOf<Type>; readonly presence: "required"; readonly from: "node" },
  Scope
>;

/** An input of the pipeline as its body sees it. */
export type ReferencesTo<Ports extends InputPorts, Scope> = {
  readonly [Name in keyof Ports]: Ports[Name] extends LiteralInput<infer Type, infer Value, infer Has>
    ? LiteralReference<Type, Value, Has, Scope, "input">
    : Ports[Name] extends DataInput<infer Type, infer Has>
      ? DataReference<Type, Has, Scope, "input">
      : never;
};

/** The outputs of a node as the body sees them. */
export type NodeOutputs<Ports extends OutputPorts, Scope> = {
  readonly [Name in keyof Ports]: NodeOutput<Ports[Name]["type"], Scope>;
};

/** A node of the body, of any kind. */
export interface Node<Outputs, Scope> {
  readonly outputs: Outputs;
  readonly [owner]: (scope: Scope) => Scope;
}

/** Types whose values an input of `Type` can read: every model and table is a folder, every whole number a number. */
export type TypesFor<Type extends PortType> = Type extends "uri_folder"
  ? Exclude<DataType, "uri_file">
  : Type extends "number"
    ? "number" | "integer"
    : Type;
type DataFor<Type extends DataType> = Extract<TypesFor<Type>, DataType>;
type LiteralFor<Type extends LiteralType> = Extract<TypesFor<Type>, LiteralType>;
/** What an optional input of the pipeline may not bring cannot go where something is needed. */
type PresenceFor<Has extends Presence> = Has extends "required" ? "required" | "default" : Presence;

/** Data that exists before the run, or a reference with more said of it. */
type DataValue<Type extends DataType, Has extends Presence, Scope, Leads extends From> =
  | {
      /** `azureml:`, `https:`, `wasbs:`, `abfss:` ..., a file or folder of this machine, or a reference. */
      readonly path: string | DataReference<DataFor<Type>, PresenceFor<Has>, Scope, Leads>;
      readonly type?: Type;
      readonly mode?: InputMode;
    }
  | {
      /** A folder that is known to hold what `type` says. */
      readonly path: DataReference<
        Type extends "uri_file" ? "uri_file" : DataFor<"uri_folder">,
        PresenceFor<Has>,
        Scope,
        Leads
      >;
      readonly type: Type;
      readonly mode?: InputMode;
    };

/** What an input takes. */
export type Accepted<Port, Scope, Leads extends From = From> =
  Port extends LiteralInput<infer Type, infer Value, infer Has>
    ? Value | LiteralReference<LiteralFor<Type>, Value, PresenceFor<Has>, Scope, Leads>
    : Port extends DataInput<infer Type, infer Has>
      ? DataReference<DataFor<Type>, PresenceFor<Has>, Scope, Leads> | DataValue<Type, Has, Scope, Leads>
      : never;

/** What a node is given: one value or reference for each input of its component that needs one. */
export type InputsFor<Ports extends InputPorts, Scope> = {
  readonly [Name in RequiredNames<Ports>]: Accepted<Ports[Name], Scope>;
} & {
  readonly [Name in Exclude<keyof Ports, RequiredNames<Ports>>]?: Accepted<Ports[Name], Scope> | undefined;
};

/** A field of a node that may be bound to a literal input of the pipeline. */
export type Bound<Value extends Literal, Scope> =
  | Value
  | LiteralReference<
      Value extends number ? "integer" | "number" : LiteralType,
      Value,
      "required" | "default",
      Scope,
      "input"
    >;

const marked = Symbol.for("mlpipe.reference");

/** What a reference is at run time. */
interface Written {
  readonly [marked]: {
    readonly scope: object;
    /** As YAML writes it: `${{parent.inputs.x}}`. */
    readonly text: string;
  };
  toString(): string;
}

/** A reference of the body whose identity is `scope`. */
export function createReference(text: string, scope: object): Written {
  return { [marked]: { scope, text }, toString: () => text };
}

export function isReference(value: unknown): value is Written {
  return typeof value === "object" && value !== null && marked in value;
}

/** @throws MlpipeError `InvalidRequest` when the reference is another pipeline's. */
export function textOf(reference: Written, scope: object, usedBy: string): string {
  const { text, scope: own } = reference[marked];
  if (own === scope) return text;
  throw new MlpipeError("InvalidRequest", `${usedBy}: ${text} belongs to another pipeline; hand it over as an input`);
}
