import { bindFields } from "../bind-fields.ts";
import { type Reader, shape } from "../shape.ts";
import { inputsOf } from "../step-inputs.ts";
import { componentFields, nodeFields } from "./fields.ts";
import type { NodeKind } from "./node-kind.ts";
import { fieldOf } from "../issue-list.ts";

export interface RefusedKind extends Pick<
  NodeKind,
  "type" | "load" | "readsOutputsIn" | "declaredIn" | "inputsGivenElsewhere"
> {
  readonly fields: Readonly<Record<string, Reader<unknown>>>;
  /** Completes «node x is ...». */
  readonly why: string;
}

/** A kind that is read and checked like every other and cannot run: its nodes say so by name. */
export function createRefusedKind({ fields, why, ...kind }: RefusedKind): NodeKind {
  const nodeShape = shape({ ...nodeFields, ...fields });
  const componentShape = shape({ ...componentFields, ...fields });
  return {
    ...kind,
    compile(step, compiler) {
      nodeShape(bindFields(step, compiler), step.field, compiler.list);
      if (step.component !== undefined)
        componentShape(step.component, fieldOf(step.path, step.node, "component"), compiler.list);
      inputsOf(step, compiler);
      compiler.list.error(step.field, `node \`${step.flatName}\` is ${why}`, { atKey: true });
    },
  };
}
