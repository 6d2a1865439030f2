// A node that runs a component once.
import type { Mapping } from "#shared/domain/shape.ts";
import type { Component, ComponentKind } from "./component.ts";
import type { NodeFields } from "./fields.ts";
import type { Nodes } from "./nodes.ts";
import type { InputPorts, OutputPorts } from "./ports.ts";
import type { InputsFor, Node, NodeOutputs } from "./references.ts";
import { writeMiniBatches } from "./write-fields.ts";

/** Adds a node that runs `component`. */
export type AddNode<Scope> = <Inputs extends InputPorts, Outputs extends OutputPorts, Kind extends ComponentKind>(
  component: Component<Inputs, Outputs, Kind>,
  inputs: InputsFor<Inputs, Scope>,
  fields?: NodeFields<Kind, Outputs, Scope>,
) => Node<NodeOutputs<Outputs, Scope>, Scope>;

export function addNode(nodes: Nodes, component: Component, given: Mapping, fields: Mapping = {}): object {
  const name = nameIn(fields, component.name);
  putNode(nodes, name, component, given, fields);
  return nodes.handle(name, component.outputs);
}

export function putNode(nodes: Nodes, name: string, component: Component, given: Mapping, fields: Mapping): void {
  const head = { type: component.kind, component: component.source };
  nodes.put(name, head, { component, given, fields: writeMiniBatches(fields) });
}

/** What `fields` calls the node. */
export function nameIn({ name }: Mapping, otherwise: string): string {
  return typeof name === "string" ? name : otherwise;
}
