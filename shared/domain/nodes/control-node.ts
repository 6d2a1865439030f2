// Control flow in a plan: a node without a job, so what a job needs stays empty.
import type { DataType, LiteralType } from "../data-types.ts";
import type { Step } from "../pipeline-scope.ts";
import type { PlanNode, PlanOutput } from "../plan.ts";
import { text } from "../shape.ts";
import { nodeFields } from "./fields.ts";

/** A node of control flow; a result of an earlier run never stands for it, since it decides anew. */
export function controlNode(
  node: Pick<PlanNode, "name" | "kind" | "component" | "inputs"> & Partial<PlanNode>,
): PlanNode {
  return {
    command: "",
    environment: { kind: "inline" },
    outputs: {},
    environmentVariables: {},
    resources: { instanceTypes: [], instanceCount: 1 },
    tags: {},
    isDeterministic: false,
    forceRerun: false,
    ...node,
  };
}

/** The outputs of a loop, which are its body's. @param typeOf what each of them is */
export function loopOutputs(
  body: Step,
  typeOf: (output: string) => { type: DataType; literal?: LiteralType },
): Record<string, PlanOutput> {
  const names = [...body.outputs.keys()];
  return Object.fromEntries(names.map((name) => [name, { mode: "rw_mount" as const, ...typeOf(name) }]));
}

const { $schema, type, name, display_name, description, comment, tags, properties } = nodeFields;

/** Fields of every control-flow node. */
export const controlFields = {
  $schema,
  type,
  name,
  display_name,
  description,
  comment,
  tags,
  properties,
  version: text,
};
