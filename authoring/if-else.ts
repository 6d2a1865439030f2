// A condition that decides which nodes run.
import type { Mapping } from "#shared/domain/shape.ts";
import type { NamedFields } from "./fields.ts";
import { nameIn } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import type { LiteralReference, Node } from "./references.ts";

type AnyNode<Scope> = Node<unknown, Scope>;
type Block<Scope> = AnyNode<Scope> | readonly [AnyNode<Scope>, ...AnyNode<Scope>[]];

export type IfElseFields<Scope> = NamedFields & {
  readonly condition: boolean | LiteralReference<"boolean", boolean, "required" | "default", Scope>;
} & (
    | { readonly true_block: Block<Scope>; readonly false_block?: Block<Scope> }
    | { readonly true_block?: Block<Scope>; readonly false_block: Block<Scope> }
  );

/** Adds a condition. The nodes of the block that is not taken are skipped, and so is what reads their outputs. */
export type AddIfElse<Scope> = (fields: IfElseFields<Scope>) => Node<Record<never, never>, Scope>;

export function addIfElse(nodes: Nodes, fields: Mapping): object {
  const { condition, true_block: whenTrue, false_block: whenFalse, ...rest } = fields;
  const name = nameIn(fields, "if_else");
  const blocks = Object.entries({ true_block: whenTrue, false_block: whenFalse }).flatMap(([key, block]) => {
    if (block === undefined) return [];
    const texts = (Array.isArray(block) ? (block as unknown[]) : [block]).map((node) =>
      nodes.nodeText(node, `${name}.${key}`),
    );
    return [[key, texts.length === 1 ? texts[0] : texts] as const];
  });
  nodes.put(name, { type: "if_else" }, { fields: { condition, ...Object.fromEntries(blocks), ...rest } });
  return nodes.handle(name, {});
}
