// Makes a pipeline's `jobs:` into steps, each with its kind, its component and what it declares.
import { bodyOf, readGovernors } from "./control/governed.ts";
import { findCycles } from "./cycles.ts";
import { expressionsIn, parseBinding } from "./expressions.ts";
import { type Field, type IssueList, fieldOf, subPath } from "./issue-list.ts";
import type { Governors, PlanCompiler, Scope, Step } from "./pipeline-scope.ts";
import { type OutputSettings, readInputDeclarations, readOutputs } from "./ports.ts";
import { promotedTo } from "./promoted-to.ts";
import { readOnce } from "./read-once.ts";
import { type Mapping, describe, isMapping } from "./shape.ts";
import type { Value } from "./value.ts";

export interface ScopeOptions {
  readonly pipeline: Mapping;
  readonly path: string;
  readonly outer: Step | undefined;
  readonly inputs: ReadonlyMap<string, Value | undefined>;
  readonly defaultCompute: string | undefined;
  readonly forceRerun: boolean;
}

const readDeclarations = readOnce((ports, { path }, list) => readInputDeclarations(ports, path, list));
const maxDepth = 20;
const nodeNamePattern = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function createScope(options: ScopeOptions, compiler: PlanCompiler): Scope {
  const { pipeline, path, outer } = options;
  const { list } = compiler;
  const steps = new Map<string, Step>();
  const broken = new Set<string>();
  const promoted = new Map<string, { step: Step; output: string }>();
  const governed = new Map<string, Governors>();
  const scope: Scope = {
    ...options,
    prefix: outer === undefined ? "" : `${outer.flatName}.`,
    depth: outer === undefined ? 0 : outer.scope.depth + 1,
    steps,
    broken,
    governed,
    promoted,
    outputs: readOutputs(pipeline.outputs, subPath(path, "outputs"), list, { allowDots: true }),
  };
  const jobsField = fieldOf(path, pipeline, "jobs");
  if (scope.depth > maxDepth) list.error(jobsField, `sub-pipelines are nested more than ${maxDepth} deep`);
  else if (!isMapping(pipeline.jobs) || Object.keys(pipeline.jobs).length === 0) {
    const got = isMapping(pipeline.jobs) ? "it has none" : `got ${describe(pipeline.jobs)}`;
    list.error(jobsField, `a pipeline needs at least one node in \`jobs:\`, a mapping of names to nodes; ${got}`);
  } else {
    for (const [name, node] of Object.entries(pipeline.jobs)) {
      const step = createStep(name, node, fieldOf(jobsField.path, pipeline.jobs, name), scope, compiler);
      if (step === undefined) broken.add(name);
      else steps.set(name, step);
    }
  }
  for (const [name, governors] of readGovernors(steps, broken, list)) governed.set(name, governors);
  for (const [name, step] of steps) steps.set(name, withBodyOutputs(step));
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
    const hint = typeof node === "string" ? "; a component's file stands in the node's `component:`" : "";
    list.error(field, `expected a node, got ${describe(node)}${hint}`);
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
  const named = node.type ?? ownComponent?.type ?? "command";
  const type = typeof named === "string" ? named : describe(named);
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
        : readDeclarations(declared.inputs, { path: `${componentPath}.inputs` }, list),
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

/** A loop has the outputs that its body's become, with what it says of them itself. */
function withBodyOutputs(step: Step): Step {
  const body = step.kind.loop === undefined ? undefined : bodyOf(step);
  if (step.kind.loop === undefined || body === undefined) return step;
  const outputs = new Map(step.kind.loop.outputs(body));
  for (const [name, settings] of step.outputs) outputs.set(name, { ...settings, ...outputs.get(name) });
  return { ...step, outputs };
}

function tellCycles(scope: Scope, list: IssueList): void {
  const edges = new Map<string, string[]>();
  // A loop and its body wait as one.
  const one = (name: string) => scope.governed.get(name)?.loop?.name ?? name;
  for (const step of scope.steps.values()) {
    const conditions = scope.governed.get(step.name)?.when.map((condition) => condition.step.name) ?? [];
    const waitsFor = [...stepsReadBy(step), ...conditions].map(one);
    edges.set(one(step.name), [...(edges.get(one(step.name)) ?? []), ...waitsFor]);
  }
  for (const cycle of findCycles(edges)) {
    const step = scope.steps.get(cycle[0] ?? "");
    if (step !== undefined)
      list.error(
        step.field,
        cycle.length === 2 && step.kind.loop === undefined
          ? `the node waits for itself: ${cycle.join(" -> ")}`
          : `the nodes wait for each other: ${cycle.join(" -> ")}`,
        { atKey: true },
      );
  }
}

/** Names of the steps whose outputs stand anywhere in the node. */
function stepsReadBy({ node, kind }: Step): string[] {
  const names = new Set<string>();
  for (const [key, value] of Object.entries(node)) {
    if (key === "component" || kind.governsIn?.includes(key) === true) continue;
    for (const text of expressionsIn(value)) {
      const binding = parseBinding(text, { allowShort: key === "inputs" });
      if (binding?.kind === "nodeOutput" || binding?.kind === "node") names.add(binding.node);
    }
  }
  return [...names];
}
