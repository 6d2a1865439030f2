import { bindFields } from "../bind-fields.ts";
import { parseBinding } from "../expressions.ts";
import { fieldOf } from "../issue-list.ts";
import { settingsOf } from "../outputs.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { PlanNode } from "../plan.ts";
import { type Reader, shape } from "../shape.ts";
import { followBinding, inputsOf } from "../step-inputs.ts";
import type { Value } from "../value.ts";
import { componentFields, nodeFields } from "./fields.ts";
import type { NodeKind } from "./node-kind.ts";
import { planInputs } from "./plan-inputs.ts";

export interface RefusedKind extends Pick<
  NodeKind,
  "type" | "load" | "readsOutputsIn" | "declaredIn" | "inputsGivenElsewhere"
> {
  readonly fields: Readonly<Record<string, Reader<unknown>>>;
  /** Completes «it is ...». */
  readonly why: string;
}

/** A kind that is read, checked and planned like every other and cannot run: its nodes say so by name. */
export function createRefusedKind({ fields, why, ...kind }: RefusedKind): NodeKind {
  const nodeShape = shape({ ...nodeFields, ...fields });
  const componentShape = shape({ ...componentFields, ...fields });
  return {
    ...kind,
    compile(step, compiler) {
      nodeShape(bindFields(step, compiler), step.field, compiler.list);
      const component =
        step.component === undefined
          ? undefined
          : componentShape(step.component, fieldOf(step.path, step.node, "component"), compiler.list);
      const inputs = new Map([...inputsOf(step, compiler), ...boundFields(step, kind.readsOutputsIn ?? [], compiler)]);
      const outputs = [...step.outputs.keys()].map((name) => {
        const { type = "uri_folder", mode } = settingsOf(step, name);
        return [name, { type, mode }] as const;
      });
      const node: PlanNode = {
        name: step.flatName,
        kind: "command",
        refusal: why,
        component: { name: component?.name ?? step.name },
        command: "",
        environment: { kind: "inline" },
        inputs: planInputs(inputs, step),
        outputs: Object.fromEntries(outputs),
        environmentVariables: {},
        resources: { instanceTypes: [], instanceCount: 1 },
        tags: {},
        isDeterministic: true,
        forceRerun: false,
      };
      compiler.add(node, step.field);
    },
  };
}

/** What stands in fields of the node's own, such as an AutoML job's `training_data`. */
function boundFields(step: Step, fields: readonly string[], compiler: PlanCompiler): [string, Value | undefined][] {
  return fields.flatMap((key): [string, Value | undefined][] => {
    const written: unknown = step.node[key];
    const binding = parseBinding(written);
    if (binding === undefined || binding.kind === "node") return [];
    return [[key, followBinding(binding, step.scope, fieldOf(step.path, step.node, key), compiler)]];
  });
}
