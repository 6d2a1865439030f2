// A pipeline as the compiler sees it: its steps by name, what flows between them, and the pipeline around it. A
// sub-pipeline used twice is two scopes.
import { findCycles } from "./cycles.ts";
import { type Binding, parseBinding, visitTexts } from "./expressions.ts";
import { type Field, type IssueList, fieldOf, subPath } from "./issue-list.ts";
import type { NodeKind } from "./nodes/node-kind.ts";
import type { PlanNode } from "./plan.ts";
import { type InputDeclaration, type OutputSettings, readInputDeclarations, readOutputs } from "./ports.ts";
import { type Mapping, describe, isMapping } from "./shape.ts";
import type { Value } from "./values.ts";

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
  /** Pipeline output -> the step's output that is promoted to it. */
  readonly promoted: ReadonlyMap<string, { readonly step: Step; readonly output: string }>;
  readonly outputs: ReadonlyMap<string, OutputSettings>;
  readonly defaultCompute: string | undefined;
  readonly forceRerun: boolean;
  /** The pipeline's own inputs, for the outermost scope. */
  readonly inputs: ReadonlyMap<string, Value | undefined>;
}

export interface ScopeOptions {
  readonly pipeline: Mapping;
  readonly path: string;
  readonly outer: Step | undefined;
  readonly inputs: ReadonlyMap<string, Value | undefined>;
  readonly defaultCompute: string | undefined;
  readonly forceRerun: boolean;
}

const maxDepth = 20;
const nodeNamePattern = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function createScope(options: ScopeOptions, compiler: PlanCompiler): Scope {
  const { pipeline, path, outer } = options;
  const { list } = compiler;
  const steps = new Map<string, Step>();
  const broken = new Set<string>();
  const promoted = new Map<string, { step: Step; output: string }>();
  const scope: Scope = {
    ...options,
    prefix: outer === undefined ? "" : `${outer.flatName}.`,
    depth: outer === undefined ? 0 : outer.scope.depth + 1,
    steps,
    broken,
    promoted,
    outputs: readOutputs(pipeline.outputs, subPath(path, "outputs"), list, { allowDots: true }),
  };
  const jobsField = fieldOf(path, pipeline, "jobs");
  if (scope.depth > maxDepth) list.error(jobsField, `sub-pipelines are nested more than ${maxDepth} deep`);
  else if (!isMapping(pipeline.jobs) || Object.keys(pipeline.jobs).length === 0) {
    list.error(jobsField, `a pipeline needs a mapping of nodes in \`jobs:\`, got ${describe(pipeline.jobs)}`);
  } else {
    for (const [name, node] of Object.entries(pipeline.jobs)) {
      const step = createStep(name, node, fieldOf(jobsField.path, pipeline.jobs, name), scope, compiler);
      if (step === undefined) broken.add(name);
      else steps.set(name, step);
    }
  }
  for (const step of steps.values()) promoteOutputs(step, promoted, list);
  tellCycles(scope, list);
  return scope;
}

function createStep(name: string, node: unknown, field: Field, scope: Scope, compiler: PlanCompiler): Step | undefined {
  const { list } = compiler;
  if (!nodeNamePattern.test(name)) {
    list.error(field, `\`${name}\` is no allowed node name: letters, digits, \`_\` and \`-\`, not a digit first`, {
      atKey: true,
    });
  }
  if (!isMapping(node)) {
    list.error(field, `expected a node, got ${describe(node)}`);
    return undefined;
  }
  const reference = node.component;
  const component =
    typeof reference === "string" ? compiler.component(reference, fieldOf(field.path, node, "component")) : reference;
  if (component !== undefined && component !== null && !isMapping(component)) {
    list.error(
      fieldOf(field.path, node, "component"),
      `expected a component, its file, or \`azureml:name:version\`, got ${describe(component)}`,
    );
  }
  const ownComponent = isMapping(component) ? component : undefined;
  const type = String(node.type ?? ownComponent?.type ?? "command");
  const kind = compiler.kinds.get(type);
  if (kind === undefined) {
    const among = [...compiler.kinds.keys()];
    const at =
      isMapping(node) && node.type === undefined
        ? fieldOf(`${field.path}.component`, ownComponent, "type")
        : fieldOf(field.path, node, "type");
    list.error(at, `\`${type}\` is no kind of node; it can be ${among.join(", ")}`, { nearest: { name: type, among } });
    return undefined;
  }
  if (ownComponent?.type !== undefined && ownComponent.type !== type) {
    list.error(
      fieldOf(field.path, node, "type"),
      `the node is a ${type}, its component a ${describe(ownComponent.type)}`,
    );
  }
  const declaring = ownComponent ?? (kind.declaredIn === undefined ? undefined : node[kind.declaredIn]);
  const declared = isMapping(declaring) ? declaring : undefined;
  const componentPath =
    ownComponent === undefined ? `${field.path}.${kind.declaredIn ?? ""}` : `${field.path}.component`;
  return {
    name,
    flatName: `${scope.prefix}${name}`,
    path: field.path,
    scope,
    node,
    field,
    kind,
    component: ownComponent,
    isUnknown: reference !== undefined && reference !== null && ownComponent === undefined,
    declaredInputs:
      declared === undefined || (ownComponent === undefined && declared.inputs === undefined)
        ? undefined
        : readInputDeclarations(declared.inputs, `${componentPath}.inputs`, list),
    outputs: outputsOf(declared, node, field, componentPath, list),
    values: new Map(),
  };
}

/** A component's outputs with what the node says of them; without a component the node's own are all there are. */
function outputsOf(
  declared: Mapping | undefined,
  node: Mapping,
  field: Field,
  componentPath: string,
  list: IssueList,
): Map<string, OutputSettings> {
  const own = readOutputs(node.outputs, `${field.path}.outputs`, list);
  if (declared?.outputs === undefined && node.component === undefined) return own;
  const outputs = readOutputs(declared?.outputs, `${componentPath}.outputs`, list);
  for (const [name, settings] of own) {
    if (outputs.has(name) || name === "artifacts") outputs.set(name, { ...outputs.get(name), ...settings });
    else if (declared !== undefined) {
      list.warn(
        fieldOf(`${field.path}.outputs`, node.outputs, name),
        `the component has no output \`${name}\`; it has no effect`,
        {
          atKey: true,
          nearest: { name, among: outputs.keys() },
        },
      );
    }
  }
  return outputs;
}

/** The pipeline output that `value`, an entry of a node's `outputs:`, is promoted to. */
export function promotedTo(value: unknown): Binding | undefined {
  return parseBinding(isMapping(value) ? value.path : value, { allowShort: true });
}

function promoteOutputs(step: Step, promoted: Map<string, { step: Step; output: string }>, list: IssueList): void {
  const { node, scope } = step;
  if (!isMapping(node.outputs)) return;
  for (const [output, value] of Object.entries(node.outputs)) {
    const binding = promotedTo(value);
    const field = fieldOf(`${step.path}.outputs`, node.outputs, output);
    if (binding === undefined) {
      if (typeof value === "string") list.error(field, `expected \${{parent.outputs.<name>}}, got ${describe(value)}`);
      continue;
    }
    if (binding.kind !== "pipelineOutput") {
      list.error(
        field,
        binding.kind === "malformed" ? binding.reason : "an output can only be bound to ${{parent.outputs.<name>}}",
      );
    } else if (!scope.outputs.has(binding.name)) {
      const nearest = { name: binding.name, among: scope.outputs.keys() };
      list.error(field, `the pipeline has no output \`${binding.name}\``, { nearest });
    } else if (promoted.has(binding.name)) {
      list.error(
        field,
        `the pipeline output \`${binding.name}\` is already that of node \`${promoted.get(binding.name)?.step.name ?? ""}\``,
      );
    } else if (step.outputs.has(output) || step.isUnknown) promoted.set(binding.name, { step, output });
  }
}

function tellCycles(scope: Scope, list: IssueList): void {
  const edges = new Map([...scope.steps.values()].map((step) => [step.name, stepsReadBy(step)]));
  for (const cycle of findCycles(edges)) {
    const step = scope.steps.get(cycle[0] ?? "");
    if (step !== undefined)
      list.error(step.field, `the nodes wait for each other: ${cycle.join(" -> ")}`, { atKey: true });
  }
}

/** Names of the steps whose outputs stand anywhere in the node. */
function stepsReadBy(step: Step): string[] {
  const names = new Set<string>();
  for (const [key, value] of Object.entries(step.node)) {
    if (key === "component") continue;
    visitTexts({ [key]: value }, "", (text) => {
      const binding = parseBinding(text, { allowShort: key === "inputs" });
      if (binding?.kind === "nodeOutput" || binding?.kind === "node") names.add(binding.node);
    });
  }
  return [...names];
}
