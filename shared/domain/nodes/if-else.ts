// A condition that decides which nodes run. Those of the block that it does not come out for are skipped.
import { type Governed, stepNamedBy } from "../control/governed.ts";
import { coerceLiteral } from "../literals.ts";
import { parseBinding } from "../expressions.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { PlanInput } from "../plan.ts";
import { anything, describe, isLiteral, shape } from "../shape.ts";
import { followBinding } from "../step-inputs.ts";
import { controlFields, controlNode } from "./control-node.ts";
import type { NodeKind } from "./node-kind.ts";

const nodeShape = shape({ ...controlFields, condition: anything, true_block: anything, false_block: anything });
const blocks = ["true_block", "false_block"] as const;

export const ifElse: NodeKind = {
  type: "if_else",
  readsOutputsIn: ["condition", ...blocks],
  governsIn: blocks,

  governs: (step) =>
    blocks.flatMap((block) =>
      entriesOf(step, block).flatMap(({ value, field }): Governed[] => {
        const name = stepNamedBy(value);
        return name === undefined ? [] : [{ name, field, how: block === "true_block" }];
      }),
    ),

  load: async (spec) => spec,

  compile(step, compiler) {
    nodeShape(step.node, step.field, compiler.list);
    for (const { value, field } of blocks.flatMap((block) => entriesOf(step, block))) {
      if (stepNamedBy(value) !== undefined) continue;
      const isName = typeof value === "string" && step.scope.steps.has(value);
      const extra = isName ? { suggestion: `\${{parent.jobs.${value}}}` } : {};
      compiler.list.error(field, `expected \${{parent.jobs.<name>}}, got ${describe(value)}`, extra);
    }
    if (blocks.every((block) => entriesOf(step, block).length === 0))
      compiler.list.error(step.field, "a condition needs a `true_block` or a `false_block`", { atKey: true });
    const condition = readCondition(step, compiler);
    if (condition === undefined) return;
    const { flatName: name } = step;
    compiler.add(
      controlNode({ name, kind: "if_else", component: { name: "if_else" }, inputs: { condition } }),
      step.field,
    );
  },
};

/** The one node of a block, or each of its list. */
function entriesOf({ node, path }: Step, block: string): { value: unknown; field: Field }[] {
  const written = node[block];
  const field = fieldOf(path, node, block);
  if (written === undefined || written === null) return [];
  if (!Array.isArray(written)) return [{ value: written, field }];
  return (written as unknown[]).map((value, index) => ({ value, field: fieldOf(field.path, written, index) }));
}

function readCondition(step: Step, compiler: PlanCompiler): PlanInput | undefined {
  const { list } = compiler;
  const written = step.node.condition;
  if (written === undefined || written === null) {
    list.error(step.field, "a condition needs `condition`: true, false, or an output that says so", { atKey: true });
    return undefined;
  }
  const field = fieldOf(step.path, step.node, "condition");
  const binding = parseBinding(written);
  const value = binding === undefined ? undefined : followBinding(binding, step.scope, field, compiler);
  if (value?.kind === "invalid" || value?.kind === "later") return undefined;
  if (value?.kind === "output" && (value.literal === "boolean" || value.literal === "string")) {
    const { node, output, type } = value;
    return { kind: "output", node, output, type, mode: "ro_mount", literal: "boolean" };
  }
  const literal = binding === undefined ? written : value?.kind === "literal" ? value.literal : undefined;
  const coerced = isLiteral(literal) ? coerceLiteral(literal, { type: "boolean" }) : undefined;
  if (coerced?.value !== undefined) return { kind: "literal", value: coerced.value };
  const got =
    value?.kind === "output"
      ? `an output that is ${value.literal === undefined ? "data" : `a ${value.literal}`}`
      : describe(literal);
  list.error(field, `expected true, false or an output of type boolean, got ${got}`);
  return undefined;
}
