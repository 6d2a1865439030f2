// A document with its inputs becomes the static plan of a run: every binding followed, every sub-pipeline flattened,
// every literal in the form its program will read.
import { type Issue, isMlpipeError } from "../errors.ts";
import { withArtifacts } from "./artifacts.ts";
import { type AssetResolver, type RegisteredAssets, createRegisteredAssets } from "./registered-assets.ts";
import { maxIterations } from "./control/loop-plan.ts";
import { inDependencyOrder } from "./cycles.ts";
import { parseBinding } from "./expressions.ts";
import type { InputValue } from "./input-value.ts";
import { type Field, type IssueList, createIssueList, fieldOf } from "./issue-list.ts";
import { nodeKinds } from "./node-kinds.ts";
import { machinesRefusal } from "./machines-refusal.ts";
import { mergePolicies, type NodePolicy } from "./node-policy.ts";
import { toConcurrency, toNodePolicy } from "./nodes/mlpipe-fields.ts";
import { pipelineShape } from "./nodes/pipeline.ts";
import { sourceOf } from "./outputs.ts";
import type { PipelineDocument } from "./pipeline-document.ts";
import { readPipelineInputs } from "./pipeline-inputs.ts";
import { createScope } from "./create-scope.ts";
import { readPromotion } from "./promotion/read-promotion.ts";
import { readSettingsNodes } from "./settings-nodes.ts";
import type { PlanCompiler, Scope, Step } from "./pipeline-scope.ts";
import { roundName } from "./plan-node-of.ts";
import { type Plan, type PlanBody, type PlanNode, dependenciesOf } from "./plan.ts";
import type { ResolvedAsset } from "./resolved-asset.ts";
import { isMapping } from "./shape.ts";
import { asWritten } from "./wrap-job.ts";
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
  /** Most machines of a job whose processes wait for each other. */
  readonly machinesPerJob?: number;
  /** Limit of the run, over the pipeline's own. */
  readonly timeoutSeconds?: number;
  /** How a registered pipeline was asked for, and which version the document is. */
  readonly registeredAs?: { readonly reference: string; readonly version: string };
  /** US dollars the run may cost, over the pipeline's own cap. */
  readonly maxCost?: number;
}

export type CompileResult =
  | {
      readonly plan: Plan;
      readonly warnings: readonly Issue[];
      /** Nodes that can be planned and cannot run, each with its reason. */
      readonly refusals: readonly Issue[];
    }
  | { readonly plan: undefined; readonly issues: readonly Issue[] };

type Conditions = NonNullable<PlanNode["when"]>;
type SettingsNodes = ReturnType<typeof readSettingsNodes>;

const maxNodes = 10_000;
const longestRunId = "x".repeat(80);

/** The static plan of a document with its inputs filled in, or every reason why there is none. */
export async function compilePlan(document: PipelineDocument, options: CompileOptions): Promise<CompileResult> {
  const assets = createRegisteredAssets(options.assets);
  for (;;) {
    const { plan, list, refused } = compileOnce(document, options, assets, false);
    // What is registered can name further registered things, so looking up and compiling take turns.
    if (await assets.lookUpWanted()) continue;
    if (plan === undefined || list.hasErrors) return { plan: undefined, issues: [...list.issues, ...refused.issues] };
    const pinned = await withEnvironments(await withCodeHashes(plan), options.assets);
    const resolved = [...pipelineAsset(plan, options), ...assets.resolved(), ...pinned.assets];
    return {
      plan: resolved.length === 0 ? pinned.plan : { ...pinned.plan, assets: resolved },
      warnings: list.issues,
      refusals: refused.issues,
    };
  }
}

/** Everything that is wrong with a document whatever its inputs, and its nodes that cannot run. */
export function checkDocument(document: PipelineDocument): { issues: readonly Issue[]; refusals: readonly Issue[] } {
  const { list, refused } = compileOnce(document, { inputs: {} }, createRegisteredAssets(undefined), true);
  const written = (issues: readonly Issue[]) => issues.map((issue) => asWritten(document, issue));
  return { issues: written(list.issues), refusals: written(refused.issues) };
}

function compileOnce(
  document: PipelineDocument,
  options: CompileOptions,
  assets: RegisteredAssets,
  isCheckOnly: boolean,
) {
  const [list, refused] = [createIssueList(), createIssueList()];
  const bodies = new Map<string, { nodes: ReadonlyMap<string, PlanNode>; outputs: PlanBody["outputs"] }>();
  const scopes = new Map<Step, Scope>();
  let steps = 0;
  /** Where nodes go, under which conditions they run, and how long their names get in a run. */
  let target = { nodes: new Map<string, PlanNode>(), when: [] as Conditions, longestName: (name: string) => name };
  const { nodes } = target;

  const compiler: PlanCompiler = {
    list,
    kinds: nodeKinds,
    isCheckOnly,
    component: (reference, field) => assets.component(reference, field, list, isCheckOnly),
    data: (reference, field) => assets.data(reference, field, list),
    add(planned, field) {
      const { when, longestName } = target;
      const refusal = planned.refusal ?? machinesRefusal(planned, options.machinesPerJob);
      const node = refusal === undefined ? planned : { ...planned, refusal };
      target.nodes.set(node.name, when.length === 0 ? node : { ...node, when });
      checkJobName(longestName(node.name), field, list);
      if (node.refusal !== undefined)
        refused.error(field, `node \`${node.name}\` cannot run: it is ${node.refusal}`, { atKey: true });
    },
    addBody(loop, body, compileBody) {
      const outer = target;
      const round = roundName(outer.longestName(loop.flatName), "parallel_for", maxIterations);
      const longestName = (name: string) => round + name.slice(body.flatName.length);
      const inner = { nodes: new Map<string, PlanNode>(), when: [], longestName };
      target = inner;
      const outputs = compileBody();
      target = outer;
      bodies.set(loop.flatName, { nodes: inner.nodes, outputs });
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
        const { loop, when = [] } = scope.governed.get(step.name) ?? {};
        steps += 1;
        if (steps > maxNodes) return list.error({ path: "jobs" }, `the pipeline has more than ${maxNodes} nodes`);
        // Its loop compiles it.
        if (loop !== undefined) continue;
        const outer = target;
        const more = when.map((condition) => ({ node: condition.step.flatName, is: condition.is }));
        target = { ...outer, when: [...outer.when, ...more] };
        step.kind.compile(step, compiler);
        target = outer;
      }
    },
  };

  const root = withoutTopComponent(document, compiler);
  if (root === undefined) return { plan: undefined, list, refused };
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
  const settingsNodes = readSettingsNodes(read.settings ?? {}, scope, nodes, list);
  const own = read.settings?.mlpipe ?? {};
  const timeoutSeconds = options.timeoutSeconds ?? own.limits?.run;
  const promotion =
    own.promote === undefined ? undefined : readPromotion(own.promote, scope, nodes, compiler, timeoutSeconds);
  if (promotion !== undefined) nodes.set(promotion.name, promotion);
  if (isCheckOnly) return { plan: undefined, list, refused };

  const policy = toNodePolicy(own);
  const concurrency = toConcurrency(own);
  const maxCost = options.maxCost ?? own.limits?.cost;
  const name = options.name ?? read.name ?? "pipeline";
  const displayName = options.displayName ?? read.display_name;
  const finish = (some: ReadonlyMap<string, PlanNode>) =>
    inOrder(some, settingsNodes).map((node) => withPolicy(node, policy));
  const finished = withArtifacts({
    nodes: finish(nodes),
    bodies: new Map([...bodies].map(([loop, body]) => [loop, { nodes: finish(body.nodes), outputs: body.outputs }])),
  });
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
      ...(maxCost === undefined ? {} : { maxCost }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...settingsNodes,
    },
    nodes: [...finished.nodes],
    ...(bodies.size === 0 ? {} : { bodies: Object.fromEntries(finished.bodies) }),
    outputs: planOutputs(scope, compiler),
  };
  return { plan, list, refused };
}

function computeIn(first: unknown, second: unknown): string | undefined {
  const named = first ?? second;
  return typeof named === "string" && parseBinding(named) === undefined ? named : undefined;
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

function inOrder(nodes: ReadonlyMap<string, PlanNode>, { onInit, onFinalize }: SettingsNodes): PlanNode[] {
  const edges = new Map([...nodes.values()].map((node) => [node.name, dependenciesOf(node)]));
  const order = inDependencyOrder(edges).flatMap((name) => nodes.get(name) ?? []);
  const place = ({ name, kind }: PlanNode) =>
    name === onInit ? 0 : name === onFinalize ? 3 : kind === "promote" ? 2 : 1;
  return order.toSorted((a, b) => place(a) - place(b));
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
function withCodeHashes(plan: Plan): Promise<Plan> {
  return mapNodes(plan, async (node) => {
    const { code } = node;
    if (code?.kind !== "upload" || code.hash !== code.uri) return node;
    return { ...node, code: { ...code, hash: await textHash(code.uri) } };
  });
}

/** The version of the moment in place of each environment's name or label; what cannot be looked up stays for the service. */
async function withEnvironments(
  plan: Plan,
  resolver: AssetResolver | undefined,
): Promise<{ plan: Plan; assets: ResolvedAsset[] }> {
  const looks = new Map<string, Promise<{ name: string; version: string; id: string } | undefined>>();
  const look = (reference: string) => {
    const known = looks.get(reference) ?? resolver?.environment?.(reference) ?? Promise.resolve(undefined);
    looks.set(reference, known);
    return known;
  };
  const pinned = await mapNodes(plan, async (node) => {
    const { environment } = node;
    const found = environment.kind === "asset" ? await look(environment.id) : undefined;
    return found === undefined ? node : { ...node, environment: { kind: "asset" as const, id: found.id } };
  });
  const assets = [...looks].map(async ([reference, looking]): Promise<ResolvedAsset[]> => {
    const found = await looking;
    return found === undefined ? [] : [{ kind: "environment", reference, name: found.name, version: found.version }];
  });
  return { plan: pinned, assets: (await Promise.all(assets)).flat() };
}

function pipelineAsset({ pipeline: name }: Plan, { registeredAs }: CompileOptions): ResolvedAsset[] {
  return registeredAs === undefined ? [] : [{ kind: "pipeline", name, ...registeredAs }];
}

/** The plan with every node, those of bodies too, as `map` makes it. */
async function mapNodes(plan: Plan, map: (node: PlanNode) => Promise<PlanNode>): Promise<Plan> {
  const mapped = (nodes: readonly PlanNode[]) => Promise.all(nodes.map(map));
  const bodies = Object.entries(plan.bodies ?? {}).map(
    async ([loop, body]) => [loop, { ...body, nodes: await mapped(body.nodes) }] as const,
  );
  return {
    ...plan,
    nodes: await mapped(plan.nodes),
    ...(plan.bodies === undefined ? {} : { bodies: Object.fromEntries(await Promise.all(bodies)) }),
  };
}
