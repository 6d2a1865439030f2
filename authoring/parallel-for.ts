// A loop over items: the body runs once for each, many at a time.
import { type DataType, isDataType } from "#shared/domain/data-types.ts";
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import type { Component, ComponentKind } from "./component.ts";
import type { NamedFields, NodeFields } from "./fields.ts";
import { nameIn, putNode } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import type { InputPorts, OutputPorts } from "./ports.ts";
import {
  type Accepted,
  type InputsFor,
  type LiteralReference,
  type Node,
  type NodeOutput,
  isReference,
} from "./references.ts";

/** Items that are known once the run has begun: JSON, in a text of the pipeline or in what another node writes. */
type LaterItems<Scope> =
  | NodeOutput<"string" | "uri_file", Scope>
  | LiteralReference<"string", string, "required" | "default", Scope, "input">;

/** Names that any item gives a value to. */
type NamesIn<Items> = Items[keyof Items & (Items extends readonly unknown[] ? number : unknown)] extends infer Item
  ? Item extends unknown
    ? keyof Item
    : never
  : never;

/** Each of the items, giving the same inputs, each a value that its input takes. */
type ItemsFor<Items, Inputs extends InputPorts, Scope> = {
  readonly [Key in keyof Items]: {
    readonly [Name in NamesIn<Items>]: Name extends keyof Inputs
      ? Accepted<Inputs[Name], Scope, "input">
      : `the component has no input \`${Name & string}\``;
  };
};

type Without<Ports extends InputPorts, Names> = { readonly [Name in Exclude<keyof Ports, Names>]: Ports[Name] };

/** What the items do not give. */
type InputsBeside<Items, Inputs extends InputPorts, Scope> =
  Items extends LaterItems<Scope>
    ? { readonly [Name in keyof Inputs]?: Accepted<Inputs[Name], Scope> }
    : InputsFor<Without<Inputs, NamesIn<Items>>, Scope>;

/** Data of all items is a table of places, their values are a JSON list. */
type Gathered<Outputs extends OutputPorts, Scope> = {
  readonly [Name in keyof Outputs]: NodeOutput<Outputs[Name]["type"] extends DataType ? "mltable" : "string", Scope>;
};

export interface ParallelForFields<
  Items,
  Inputs extends InputPorts,
  Outputs extends OutputPorts,
  Kind extends ComponentKind,
  Scope,
> extends NamedFields {
  /** A list, or a mapping, of inputs by name; or a text that holds one as JSON. */
  readonly items: Items extends LaterItems<Scope> ? Items : ItemsFor<Items, Inputs, Scope>;
  /** Items at once; all of them unless it is given. */
  readonly max_concurrency?: number;
  /** What is said of the node that is repeated. */
  readonly body?: NodeFields<Kind, Outputs, Scope>;
}

/** Runs `component` once for each item; each output holds those of all items. `inputs` are those that the items do not give. */
export type AddParallelFor<Scope> = <
  Inputs extends InputPorts,
  Outputs extends OutputPorts,
  Kind extends ComponentKind,
  const Items,
>(
  component: Component<Inputs, Outputs, Kind>,
  inputs: InputsBeside<Items, Inputs, Scope>,
  fields: ParallelForFields<Items, Inputs, Outputs, Kind, Scope>,
) => Node<Gathered<Outputs, Scope>, Scope>;

interface Written extends Mapping {
  readonly items: unknown;
  readonly body?: Mapping;
}

export function addParallelFor(nodes: Nodes, component: Component, given: Mapping, fields: Written): object {
  const { body = {}, items, ...rest } = fields;
  const name = nameIn(fields, component.name);
  const bodyName = nameIn(body, `${name}_body`);
  putNode(nodes, bodyName, component, given, body);
  const itemOf = (item: unknown) => (isMapping(item) ? nodes.inputsOf(component, item, `${name}.items`) : item);
  const written = Array.isArray(items)
    ? (items as unknown[]).map(itemOf)
    : isMapping(items) && !isReference(items)
      ? Object.fromEntries(Object.entries(items).map(([key, item]) => [key, itemOf(item)]))
      : items;
  const head = { type: "parallel_for", body: `\${{parent.jobs.${bodyName}}}` };
  nodes.put(name, head, { fields: { items: written, ...rest } });
  const outputs = Object.entries(component.outputs).map(
    ([output, { type }]) => [output, { type: isDataType(type) ? "mltable" : "string" } as const] as const,
  );
  return nodes.handle(name, Object.fromEntries(outputs));
}
