// What every kind of node declares of itself. Shared code asks the kind and never which kind it is; adding one is a file
// beside this and an entry in node-kinds.ts.
import type { Governed } from "../control/governed.ts";
import type { Field } from "../issue-list.ts";
import type { OutputSource } from "../outputs.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { OutputSettings } from "../ports.ts";
import type { Mapping } from "../shape.ts";

/** Reads the files that a node or component names; see load-parts.ts and load-nodes.ts. */
export interface Loader {
  /** The value of a `component:` or `trial:` field with its file, if it is one, read in. */
  component(value: unknown, field: Field): Promise<unknown>;
  /** A node of a `jobs:` mapping. */
  node(value: Mapping, path: string): Promise<Mapping>;
  /** `value` with a local `code:` and its `additional_includes:` as one placeholder. */
  code(value: Mapping, path: string): Promise<Mapping>;
  /** `value` with the environment in `key` read in. */
  environment(value: Mapping, path: string, key?: string): Promise<Mapping>;
  /** The values of an `inputs:` mapping, local paths as placeholders. */
  inputs(values: Mapping, path: string, declarations?: unknown): Promise<Mapping>;
}

/** What is asked of a node that repeats another. */
interface LoopKind {
  /** Inputs of the body that the loop gives values to. */
  inputsGiven(loop: Step, body: Step): readonly string[];
  /** What those outside read who read an output of the body; undefined after having told that they cannot. */
  readBody(loop: Step, body: Step, output: string, field: Field, compiler: PlanCompiler): OutputSource | undefined;
  /** The outputs that the loop itself has by its body's. */
  outputs(body: Step): ReadonlyMap<string, OutputSettings>;
}

export interface NodeKind {
  readonly type: string;
  /** Fields besides `inputs` in which another node's output may stand. */
  readonly readsOutputsIn?: readonly string[];
  /** The field that declares its ports when there is no `component:`. */
  readonly declaredIn?: string;
  /** Inputs that get their values by another way than `inputs:`. */
  inputsGivenElsewhere?(node: Mapping): readonly string[];
  /** For a node that is made of others: the one inside that makes `output`. */
  sourceOf?(step: Step, output: string, field: Field, compiler: PlanCompiler): OutputSource | undefined;
  /** For control flow: the steps that it repeats or decides on. */
  governs?(step: Step): readonly Governed[];
  /** Fields that name those steps or their outputs, which is no dependency on them. */
  readonly governsIn?: readonly string[];
  readonly loop?: LoopKind;
  /** The node or component with every file it names read in. */
  load(spec: Mapping, loader: Loader, path: string): Promise<Mapping>;
  /** Adds what the node becomes to the plan, or tells why it cannot run. */
  compile(step: Step, compiler: PlanCompiler): void;
}
