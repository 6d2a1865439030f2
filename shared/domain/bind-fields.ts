// A binding of a pipeline's input may stand in any field of a node (`compute:`, `resources.instance_count`, ...), not only
// among its inputs.
import { hasExpression, parseBinding } from "./expressions.ts";
import { type Field, fieldOf } from "./issue-list.ts";
import type { PlanCompiler, Step } from "./pipeline-scope.ts";
import type { Mapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";
import { followBinding } from "./step-inputs.ts";
import type { Value } from "./value.ts";

/** Fields whose bindings have a meaning of their own. */
const boundElsewhere = new Set(["component", "inputs", "outputs", "jobs", "trial", "type"]);

/** The step's node with the values of pipeline inputs in their places; a field whose value is not known is left out. */
export function bindFields(step: Step, compiler: PlanCompiler): Mapping {
  const bound: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(step.node)) {
    const isOutputAllowed = step.kind.readsOutputsIn?.includes(key) ?? false;
    const isPlain = boundElsewhere.has(key) || !hasExpression(value);
    bound[key] = isPlain ? value : bind(value, fieldOf(step.path, step.node, key), isOutputAllowed);
  }
  return keepSource(step.node, bound);

  function bind(value: unknown, field: Field, isOutputAllowed: boolean): unknown {
    if (typeof value === "string") return bindText(value, field, isOutputAllowed);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      return keepSource(
        value,
        (value as unknown[]).map((item, index) => bind(item, fieldOf(field.path, value, index), isOutputAllowed)),
      );
    }
    const entries = Object.entries(value).map(
      ([key, item]) => [key, bind(item, fieldOf(field.path, value, key), isOutputAllowed)] as const,
    );
    return keepSource(value, Object.fromEntries(entries));
  }

  function bindText(text: string, field: Field, isOutputAllowed: boolean): unknown {
    const binding = parseBinding(text);
    if (binding === undefined) return text;
    if (binding.kind === "node" && isOutputAllowed) return text;
    if (binding.kind === "nodeOutput" && !isOutputAllowed) {
      compiler.list.error(field, "only inputs can read another node's output");
      return undefined;
    }
    const value = followBinding(binding, step.scope, field, compiler);
    return isOutputAllowed && value?.kind === "output" ? text : plainValue(value);
  }
}

function plainValue(value: Value | undefined): unknown {
  if (value?.kind === "literal") return value.literal;
  return value?.kind === "data" ? value.uri : undefined;
}
