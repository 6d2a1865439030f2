// A loop whose body says whether it goes on, and reads in the next round what it wrote in the one before.
import type { LiteralType } from "#shared/domain/data-types.ts";
import type { Mapping } from "#shared/domain/shape.ts";
import type { Component, ComponentKind } from "./component.ts";
import type { NamedFields, NodeFields } from "./fields.ts";
import { nameIn, putNode } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import type { InputPorts, LiteralInput, OutputPorts, PortType, ValueOf } from "./ports.ts";
import type { InputsFor, Node, NodeOutputs, TypesFor } from "./references.ts";

type BooleanNames<Outputs extends OutputPorts> = {
  [Name in keyof Outputs]: Outputs[Name]["type"] extends "boolean" ? Name : never;
}[keyof Outputs];

/** Names of the inputs that an output of `Type` can be read by. */
type ReadersOf<Inputs extends InputPorts, Type extends PortType> = {
  [Name in keyof Inputs]: Type extends TypesFor<Inputs[Name]["type"]>
    ? Inputs[Name] extends LiteralInput<LiteralType, infer Value>
      ? ValueOf<Type> extends Value
        ? Name
        : never
      : Name
    : never;
}[keyof Inputs];

export interface DoWhileFields<
  Inputs extends InputPorts,
  Outputs extends OutputPorts,
  Kind extends ComponentKind,
  Scope,
> extends NamedFields {
  /** The output that says after each round whether there is another; true when only the limit ends the loop. */
  readonly condition: (BooleanNames<Outputs> & string) | true;
  /** Output of a round -> the input, or inputs, of the next that read it. */
  readonly mapping?: {
    readonly [Name in keyof Outputs]?:
      | (ReadersOf<Inputs, Outputs[Name]["type"]> & string)
      | readonly (ReadersOf<Inputs, Outputs[Name]["type"]> & string)[];
  };
  readonly limits: {
    /** 1000 at most. */
    readonly max_iteration_count: number;
  };
  /** What is said of the node that is repeated. */
  readonly body?: NodeFields<Kind, Outputs, Scope>;
}

/** Repeats `component`; the outputs are those of the last round. `inputs` are those of the first. */
export type AddDoWhile<Scope> = <Inputs extends InputPorts, Outputs extends OutputPorts, Kind extends ComponentKind>(
  component: Component<Inputs, Outputs, Kind>,
  inputs: InputsFor<Inputs, Scope>,
  fields: DoWhileFields<Inputs, Outputs, Kind, Scope>,
) => Node<NodeOutputs<Outputs, Scope>, Scope>;

interface Written extends Mapping {
  readonly condition: unknown;
  readonly body?: Mapping;
}

export function addDoWhile(nodes: Nodes, component: Component, given: Mapping, fields: Written): object {
  const { condition, body = {}, ...rest } = fields;
  const name = nameIn(fields, component.name);
  const bodyName = nameIn(body, `${name}_body`);
  putNode(nodes, bodyName, component, given, body);
  const head = {
    type: "do_while",
    body: `\${{parent.jobs.${bodyName}}}`,
    condition: typeof condition === "string" ? `\${{parent.jobs.${bodyName}.outputs.${condition}}}` : condition,
  };
  nodes.put(name, head, { fields: rest });
  return nodes.handle(name, component.outputs, bodyName);
}
