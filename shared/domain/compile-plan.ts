// A document with its inputs becomes the static plan of a run: every binding followed, every sub-pipeline flattened,
// every literal in the form its program will read.
import { type Issue, isMlpipeError } from "../errors.ts";
import { type AssetResolver, type RegisteredAssets, createRegisteredAssets } from "./registered-assets.ts";
import { inDependencyOrder } from "./cycles.ts";
import { parseBinding } from "./expressions.ts";
import type { InputValue } from "./input-value.ts";
import { type Field, type IssueList, createIssueList, fieldOf } from "./issue-list.ts";
import { nodeKinds } from "./node-kinds.ts";
import { mergePolicies, type NodePolicy } from "./node-policy.ts";
import { toConcurrency, toNodePolicy } from "./nodes/mlpipe-fields.ts";
import { pipelineShape } from "./nodes/pipeline.ts";
import { sourceOf } from "./outputs.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import { readPipelineInputs } from "./pipeline-inputs.ts";
import { createScope } from "./create-scope.ts";
import type { PlanCompiler, Scope, Step } from "./pipeline-scope.ts";
import { type Plan, type PlanNode, type PlanOutput, dependenciesOf } from "./plan.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { withoutTopComponent } from "./top-component.ts";
import { textHash } from "./text-hash.ts";
import { jobName } from "./job-name.ts";

export type { AssetResolver } from "./registered-assets.ts";

export interface CompileOptions {
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly assets?: AssetResolver;
  readonly name?: string;
  readonly experimentName?: string;
  readonly displayName?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Limit of the run, over the pipeline's own. */
  readonly timeoutSeconds?: number;
}

export type CompileResult =
  | { readonly plan: Plan; readonly warnings: readonly Issue[] }
  | { readonly plan: undefined; readonly issues: readonly Issue[] };

const maxNodes = 10_000;
const longestRunId = "x".repeat(80);

/** The static plan of a document with its inputs filled in, or every reason why there is none. */
export async function compilePlan(document: PipelineDocument, options: CompileOptions): Promise<CompileResult> {
  const assets = createRegisteredAssets(options.assets);
  for (;;) {
    const { plan, list } = compileOnce(document, options, assets, false);
    // What is registered can name further registered things, so looking up and compiling take turns.
    if (await assets.lookUpWanted()) continue;
    if (plan === undefined || list.hasErrors) return { plan: undefined, issues: list.issues };
    return { plan: await withCodeHashes(plan), warnings: list.issues };
  }
}

/** Everything that is wrong with a document whatever its inputs, for one that could not be read whole. */
export function checkDocument(document: PipelineDocument): readonly Issue[] {
  return compileOnce(document, { inputs: {} }, createRegisteredAssets(undefined), true).list.issues;
}

function compileOnce(
  document: PipelineDocument,
  options: CompileOptions,
  assets: RegisteredAssets,
  isCheckOnly: boolean,
) {
  const list = createIssueList();
  const nodes = new Map<string, PlanNode>();
  const scopes = new Map<Step, Scope>();
  let steps = 0;

  const compiler: PlanCompiler = {
    list,
    kinds: nodeKinds,
    isCheckOnly,
    component: (reference, field) => assets.component(reference, field, list, isCheckOnly),
    data: (reference, field) => assets.data(reference, field, list),
    add(node, field) {
      nodes.set(node.name, node);
      checkJobName(node.name, field, list);
    },
    inside(step, pipeline) {
      const known = scopes.get(step);
      if (known !== undefined) return known;
      const settings = isMapping(step.node.settings) ? step.node.settings : {};
      const inner = createScope(
        {
          pipeline,
          path: `${step.path}.component`,
          outer: step,
          inputs: new Map(),
          defaultCompute: computeIn(settings.default_compute, step.node.compute) ?? step.scope.defaultCompute,
          forceRerun: step.scope.forceRerun || settings.force_rerun === true,
        },
        compiler,
      );
      scopes.set(step, inner);
      return inner;
    },
    compile(scope) {
      for (const step of scope.steps.values()) {
        steps += 1;
        if (steps > maxNodes) return list.error({ path: "jobs" }, `the pipeline has more than ${maxNodes} nodes`);
        step.kind.compile(step, compiler);
      }
    },
  };

  const root = withoutTopComponent(document, compiler);
  if (root === undefined) return { plan: undefined, list };
  const read = pipelineShape(root, { path: "" }, list) ?? {};
  const inputs = readPipelineInputs(root.inputs, options.inputs, compiler);
  const scope = createScope(
    {
      pipeline: root,
      path: "",
      outer: undefined,
      inputs,
      defaultCompute: computeIn(read.settings?.default_compute, read.compute),
      forceRerun: read.settings?.force_rerun ?? false,
    },
    compiler,
  );
  compiler.compile(scope);
  const onInit = settingsNode("on_init", read.settings?.on_init, root, scope, list);
  const onFinalize = settingsNode("on_finalize", read.settings?.on_finalize, root, scope, list);
  if (isCheckOnly) return { plan: undefined, list };

  const own = read.settings?.mlpipe ?? {};
  const policy = toNodePolicy(own);
  const concurrency = toConcurrency(own);
  const timeoutSeconds = options.timeoutSeconds ?? own.limits?.run;
  const name = options.name ?? read.name ?? "pipeline";
  const displayName = options.displayName ?? read.display_name;
  const plan: Plan = {
    pipeline: name,
    ...(displayName === undefined ? {} : { displayName }),
    experimentName: options.experimentName ?? read.experiment_name ?? name,
    ...(read.description === undefined ? {} : { description: read.description }),
    tags: { ...read.tags, ...options.tags },
    settings: {
      continueOnStepFailure: read.settings?.continue_on_step_failure ?? false,
      forceRerun: read.settings?.force_rerun ?? false,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(onInit === undefined ? {} : { onInit }),
      ...(onFinalize === undefined ? {} : { onFinalize }),
    },
    nodes: withArtifacts(inOrder(nodes)).map((node) => withPolicy(node, policy)),
    outputs: planOutputs(scope, compiler),
  };
  return { plan, list };
}

function computeIn(first: unknown, second: unknown): string | undefined {
  const named = first ?? second;
  return typeof named === "string" && parseBinding(named) === undefined ? named : undefined;
}

/** The node that a setting names, with or without the braces of a binding. */
function settingsNode(
  key: string,
  written: string | undefined,
  root: Mapping,
  scope: Scope,
  list: IssueList,
): string | undefined {
  if (written === undefined) return undefined;
  const binding = parseBinding(written);
  const name = binding?.kind === "node" ? binding.node : written;
  const step = scope.steps.get(name);
  const field = fieldOf("settings", root.settings, key);
  if (step === undefined) {
    list.error(field, `there is no node \`${name}\``, { nearest: { name, among: scope.steps.keys() } });
    return undefined;
  }
  if (Object.values(step.values).some((value) => value?.kind === "output"))
    list.error(field, `\`${name}\` reads other nodes' outputs, which this node cannot`);
  return step.flatName;
}

function planOutputs(scope: Scope, compiler: PlanCompiler): Plan["outputs"] {
  const outputs: Record<string, { node: string; output: string }> = {};
  const written = scope.pipeline.outputs;
  for (const name of scope.outputs.keys()) {
    const field = fieldOf("outputs", written, name);
    const promoted = scope.promoted.get(name);
    if (promoted === undefined) compiler.list.warn(field, `no node makes the output \`${name}\``, { atKey: true });
    else {
      const source = sourceOf(promoted.step, promoted.output, field, compiler);
      if (source !== undefined) outputs[name] = { node: source.step.flatName, output: source.output };
    }
  }
  return outputs;
}

function inOrder(nodes: ReadonlyMap<string, PlanNode>): PlanNode[] {
  const edges = new Map([...nodes.values()].map((node) => [node.name, dependenciesOf(node)]));
  return inDependencyOrder(edges).flatMap((name) => nodes.get(name) ?? []);
}

/** Every job has its artifacts, so they can be read without being listed as an output. */
function withArtifacts(nodes: readonly PlanNode[]): PlanNode[] {
  const read = new Set(
    nodes.flatMap(({ inputs }) =>
      Object.values(inputs).flatMap((input) =>
        input.kind === "output" && input.output === "artifacts" ? [input.node] : [],
      ),
    ),
  );
  const artifacts: PlanOutput = { type: "uri_folder", mode: "rw_mount", isArtifacts: true };
  return nodes.map((node) => (read.has(node.name) ? { ...node, outputs: { artifacts, ...node.outputs } } : node));
}

/** What the pipeline says for all its nodes stands where a node says nothing itself. */
function withPolicy(node: PlanNode, pipeline: NodePolicy | undefined): PlanNode {
  const policy = mergePolicies(node.policy, pipeline);
  return policy === undefined ? node : { ...node, policy };
}

function checkJobName(node: string, field: Field, list: IssueList): void {
  try {
    jobName(longestRunId, node, 9999);
  } catch (error) {
    if (!isMlpipeError(error)) throw error;
    list.error(field, error.message, { atKey: true });
  }
}

/** Code at an address of its own is known by the hash of that address. */
async function withCodeHashes(plan: Plan): Promise<Plan> {
  const nodes = plan.nodes.map(async (node) => {
    const { code } = node;
    if (code?.kind !== "upload" || code.hash !== code.uri) return node;
    return { ...node, code: { ...code, hash: await textHash(code.uri) } };
  });
  return { ...plan, nodes: await Promise.all(nodes) };
}
