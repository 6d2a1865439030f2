// A pipeline as the compiler sees it: its steps by name, what flows between them, and the pipeline around it. A
// sub-pipeline used twice is two scopes.
import type { Field, IssueList } from "./issue-list.ts";
import type { NodeKind } from "./nodes/node-kind.ts";
import type { PlanBody, PlanNode } from "./plan.ts";
import type { InputDeclaration, OutputSettings } from "./ports.ts";
import type { Mapping } from "./shape.ts";
import type { Value } from "./value.ts";

/** What the kinds of nodes are given to compile with. */
export interface PlanCompiler {
  readonly list: IssueList;
  readonly kinds: ReadonlyMap<string, NodeKind>;
  /** Values of the pipeline's inputs may be missing: only the document itself is being checked. */
  readonly isCheckOnly: boolean;
  /** A registered component's specification; undefined after having told that there is none. */
  component(reference: string, field: Field): Mapping | undefined;
  /** Where a registered data asset lies; the reference itself where nobody can tell. */
  data(reference: string, field: Field): { readonly uri: string; readonly type?: string } | undefined;
  add(node: PlanNode, field: Field): void;
  /** Compiles what a loop repeats: nodes that are added meanwhile are not the run's but the loop's. @param compileBody gives the body's outputs */
  addBody(loop: Step, body: Step, compileBody: () => PlanBody["outputs"]): void;
  /** The scope of a pipeline that is a step of another; the same for every call with one step. */
  inside(step: Step, pipeline: Mapping): Scope;
  compile(scope: Scope): void;
}

export interface Step {
  readonly name: string;
  /** Unique in the plan: `outer.inner` in a sub-pipeline. */
  readonly flatName: string;
  readonly path: string;
  readonly scope: Scope;
  readonly node: Mapping;
  readonly field: Field;
  readonly kind: NodeKind;
  /** The mapping that declares the ports; undefined for a node that declares them by using them. */
  readonly component: Mapping | undefined;
  /** Its component could not be found, which has been told; nothing more is known of it. */
  readonly isUnknown: boolean;
  readonly declaredInputs: ReadonlyMap<string, InputDeclaration> | undefined;
  readonly outputs: ReadonlyMap<string, OutputSettings>;
  /** Inputs that have been resolved; `pending` while one is, to find values that define each other. */
  readonly values: Map<string, Value | undefined | "pending">;
}

/** What control flow does with a step. */
export interface Governors {
  /** The loop that repeats it. */
  readonly loop?: Step;
  /** The conditions under which it runs, all of which must come out so. */
  readonly when: readonly { readonly step: Step; readonly is: boolean }[];
}

export interface Scope {
  readonly path: string;
  readonly prefix: string;
  readonly pipeline: Mapping;
  /** The step that this pipeline is; undefined for the outermost. */
  readonly outer: Step | undefined;
  readonly depth: number;
  readonly steps: ReadonlyMap<string, Step>;
  /** Node names that stand in `jobs:` but are no usable step, which has been told. */
  readonly broken: ReadonlySet<string>;
  /** Steps that control flow names. */
  readonly governed: ReadonlyMap<string, Governors>;
  /** Pipeline output -> the step's output that is promoted to it. */
  readonly promoted: ReadonlyMap<string, { readonly step: Step; readonly output: string }>;
  readonly outputs: ReadonlyMap<string, OutputSettings>;
  readonly defaultCompute: string | undefined;
  readonly forceRerun: boolean;
  /** The pipeline's own inputs, for the outermost scope. */
  readonly inputs: ReadonlyMap<string, Value | undefined>;
}
