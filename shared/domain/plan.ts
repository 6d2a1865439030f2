// The static spec a run executes: what YAML and TypeScript both compile to. Self-contained (no local path, no file
// to read later), flat (sub-pipelines are expanded to `parent.child` node names) and acyclic.
import { z } from "zod";
import { LoopPlan } from "./control/loop-plan.ts";
import { DataType, InputMode, LiteralType, OutputMode } from "./data-types.ts";
import { SweepPlan } from "./sweep/sweep-plan.ts";
import { NodePolicy } from "./node-policy.ts";
import { Concurrency } from "./concurrency.ts";
import { ResolvedAsset } from "./resolved-asset.ts";
import { PromotionPlan } from "./promotion/promotion-plan.ts";

/** Node name: the pipeline's own key, or `outer.inner` for a node of a sub-pipeline. */
export const NodeName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/);

export const PlanInput = z.discriminatedUnion("kind", [
  /** A value, already coerced to its declared type and printed as the program will see it. */
  z.object({ kind: z.literal("literal"), value: z.string() }),
  /** Data that exists before the run starts. */
  z.object({ kind: z.literal("data"), type: DataType, uri: z.string(), mode: InputMode }),
  /** Another node's output. */
  z.object({
    kind: z.literal("output"),
    type: DataType,
    node: NodeName,
    output: z.string(),
    mode: InputMode,
    /** The text in the output's file is the value of a literal of this type; it is read when the node starts. */
    literal: LiteralType.optional(),
    /** The node can run without it, should the node that makes it fail. */
    isOptional: z.boolean().optional(),
  }),
]);
export type PlanInput = z.infer<typeof PlanInput>;

export const PlanOutput = z.object({
  type: DataType,
  mode: OutputMode,
  /** The author's own place for it; macros `${{name}}`, `${{output_name}}`, `${{default_datastore}}` stay for the service. */
  path: z.string().optional(),
  /** Set when the output is registered as a data asset. */
  assetName: z.string().optional(),
  assetVersion: z.string().optional(),
  /** A primitive output: the program writes its value, as text, into the file. */
  literal: LiteralType.optional(),
  /** The job's own artifacts (`./outputs`, logs), which Azure ML keeps anyway: read downstream, never sent as an output. */
  isArtifacts: z.literal(true).optional(),
});
export type PlanOutput = z.infer<typeof PlanOutput>;

/** Where the code snapshot comes from. */
export const CodeReference = z.discriminatedUnion("kind", [
  /** A registered code asset's ARM id, or `azureml:name:version`. */
  z.object({ kind: z.literal("asset"), id: z.string() }),
  /** A folder already in the blob store, addressed by the hash of its content. */
  z.object({ kind: z.literal("upload"), uri: z.string(), hash: z.string() }),
]);
export type CodeReference = z.infer<typeof CodeReference>;

export const EnvironmentReference = z.discriminatedUnion("kind", [
  /** `azureml:name:version`, `azureml:name@label`, a registry id or an ARM id. */
  z.object({ kind: z.literal("asset"), id: z.string() }),
  z.object({
    kind: z.literal("inline"),
    name: z.string().optional(),
    image: z.string().optional(),
    /** The conda file's text, exactly as written. */
    condaFile: z.string().optional(),
    build: z.object({ contextUri: z.string(), dockerfilePath: z.string().optional() }).optional(),
    osType: z.string().optional(),
  }),
]);
export type EnvironmentReference = z.infer<typeof EnvironmentReference>;

export const NodeResources = z.object({
  /** Sizes to try in order when the service refuses one; empty lets the service choose. */
  instanceTypes: z.array(z.string()),
  instanceCount: z.number().int().positive(),
  shmSize: z.string().optional(),
  dockerArgs: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** Kinds of nodes that a run executes; everything else compiles to these. */
export const NodeKindName = z.enum(["command", "sweep", "if_else", "do_while", "parallel_for", "promote"]);

export const PlanNode = z.object({
  name: NodeName,
  kind: NodeKindName,
  displayName: z.string().optional(),
  component: z.object({ name: z.string(), version: z.string().optional() }),
  /** The author's command, with `${{inputs.x}}`, `${{outputs.x}}` and `$[[ ]]` still in it. */
  command: z.string(),
  code: CodeReference.optional(),
  environment: EnvironmentReference,
  inputs: z.record(z.string(), PlanInput),
  outputs: z.record(z.string(), PlanOutput),
  environmentVariables: z.record(z.string(), z.string()),
  /** Absent = serverless. */
  compute: z.string().optional(),
  resources: NodeResources,
  /** Whole seconds. */
  timeoutSeconds: z.number().int().positive().optional(),
  /** What node and pipeline say of trying again and of time. */
  policy: NodePolicy.optional(),
  distribution: z.record(z.string(), z.unknown()).optional(),
  identity: z.record(z.string(), z.unknown()).optional(),
  services: z.record(z.string(), z.unknown()).optional(),
  queueSettings: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.string()),
  isDeterministic: z.boolean(),
  forceRerun: z.boolean(),
  /** Of a sweep; the rest of the node is its trial. */
  sweep: SweepPlan.optional(),
  /** Of a loop, which has no job of its own. */
  loop: LoopPlan.optional(),
  /** Of the node that decides on the run's model: its input `model`. The others are what the rules' nodes read. */
  promotion: PromotionPlan.optional(),
  /** What it is that cannot run; a plan that holds such a node is shown and never started. */
  refusal: z.string().optional(),
  /** It runs only when each of these `if_else` nodes comes out so. */
  when: z.array(z.object({ node: NodeName, is: z.boolean() })).optional(),
});
export type PlanNode = z.infer<typeof PlanNode>;

export const PlanBody = z.object({
  nodes: z.array(PlanNode),
  /** Output of the body -> the node output that it is. */
  outputs: z.record(z.string(), z.object({ node: NodeName, output: z.string() })),
});
export type PlanBody = z.infer<typeof PlanBody>;

export const Plan = z.object({
  /** Name of the pipeline. */
  pipeline: z.string(),
  displayName: z.string().optional(),
  experimentName: z.string(),
  description: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  settings: z.object({
    continueOnStepFailure: z.boolean(),
    forceRerun: z.boolean(),
    /** How long the run may take, from its creation to its end. */
    timeoutSeconds: z.number().int().positive().optional(),
    /** US dollars that the run may cost at most. */
    maxCost: z.number().positive().optional(),
    concurrency: Concurrency.optional(),
    /** The node that runs before all others. */
    onInit: NodeName.optional(),
    /** The node that runs after all others, whatever became of them. */
    onFinalize: NodeName.optional(),
  }),
  /** In an order in which every node comes after those it depends on. */
  nodes: z.array(PlanNode),
  /**
   * Loop -> what it repeats. A node in here reads what changes from one time to the next as outputs of the loop, by the names of
   * the body's inputs.
   */
  bodies: z.record(NodeName, PlanBody).optional(),
  /** Pipeline output name -> the node output it promotes. */
  outputs: z.record(z.string(), z.object({ node: NodeName, output: z.string() })),
  /** What the names of registered things stood for when this was compiled. */
  assets: z.array(ResolvedAsset).optional(),
  /** The run that this one continues. */
  continues: z
    .object({
      runId: z.string(),
      /** Whether a completed node of that run stands for this run's even where nothing else may be reused for it. */
      takesOver: z.boolean(),
    })
    .optional(),
  /** Nodes that run whatever has been made before; what they make is remembered. */
  mustRun: z.array(NodeName).optional(),
});
export type Plan = z.infer<typeof Plan>;

/** What the orchestrator needs of a plan: small enough to live in a history at a thousand nodes. */
export const PlanGraph = z.object({
  pipeline: z.string(),
  continueOnStepFailure: z.boolean(),
  /** Runs at the end even when a failure has stopped the rest. */
  onFinalize: NodeName.optional(),
  /** How long the run may take, from its creation to its end. */
  timeoutSeconds: z.number().optional(),
  /** The run needs a slot. */
  isLimited: z.boolean().optional(),
  /**
   * Signals, beyond one for each running node, that one generation of the run takes. What a run that is under way was once told
   * stays in its history, so that another version of the app replays it with the same number.
   */
  turnAfter: z.number().int().optional(),
  nodes: z.array(
    z.object({
      name: NodeName,
      kind: NodeKindName,
      component: z.string(),
      dependsOn: z.array(NodeName),
      /** Those of `dependsOn` that are bound only to optional inputs: their failure does not skip this node. */
      optionalDependsOn: z.array(NodeName).optional(),
      timeoutSeconds: z.number().optional(),
      instanceTypes: z.array(z.string()),
      when: PlanNode.shape.when,
    }),
  ),
});
export type PlanGraph = z.infer<typeof PlanGraph>;

/** Names of the nodes whose outputs or decisions `node` needs, without repeats, in order of first use. */
export function dependenciesOf(node: PlanNode): string[] {
  const names = Object.values(node.inputs).flatMap((input) => (input.kind === "output" ? [input.node] : []));
  const measured = node.promotion?.rules.map((rule) => rule.node) ?? [];
  return [...new Set([...names, ...measured, ...(node.when ?? []).map((condition) => condition.node)])];
}

const graphs = new WeakMap<Plan, PlanGraph>();

/** The graph of a plan; plans do not change, so the second question about one costs nothing. */
export function graphOf(plan: Plan): PlanGraph {
  const known = graphs.get(plan);
  if (known !== undefined) return known;
  const graph = toGraph(plan);
  graphs.set(plan, graph);
  return graph;
}

function toGraph(plan: Plan): PlanGraph {
  const { continueOnStepFailure, onFinalize, timeoutSeconds } = plan.settings;
  return {
    pipeline: plan.pipeline,
    continueOnStepFailure,
    ...(onFinalize === undefined ? {} : { onFinalize }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    nodes: plan.nodes.map((node) => {
      const optional = optionalDependencies(node, plan);
      return {
        name: node.name,
        kind: node.kind,
        component: node.component.name,
        dependsOn: allDependencies(node, plan),
        ...(optional.length === 0 ? {} : { optionalDependsOn: optional }),
        ...(node.timeoutSeconds === undefined ? {} : { timeoutSeconds: node.timeoutSeconds }),
        instanceTypes: node.resources.instanceTypes,
        ...(node.when === undefined ? {} : { when: node.when }),
      };
    }),
  };
}

/** What a node reads, and what the pipeline's settings make it wait for. */
function allDependencies(node: PlanNode, plan: Plan): string[] {
  const { onInit, onFinalize } = plan.settings;
  const others = () => plan.nodes.map(({ name }) => name).filter((name) => name !== node.name);
  if (node.name === onFinalize) return others();
  // A model is decided on when the run has nothing else to do.
  if (node.kind === "promote") return others().filter((name) => name !== onFinalize);
  const read = dependenciesOf(node);
  return onInit === undefined || node.name === onInit || read.includes(onInit) ? read : [onInit, ...read];
}

function optionalDependencies(node: PlanNode, plan: Plan): string[] {
  if (node.name === plan.settings.onFinalize) return allDependencies(node, plan);
  const inputs = Object.values(node.inputs).filter((input) => input.kind === "output");
  const conditions = (node.when ?? []).map((condition) => condition.node);
  const read = inputs.filter(({ isOptional }) => isOptional !== true).map((input) => input.node);
  const measured = (node.promotion?.rules ?? []).map((rule) => rule.node);
  const required = new Set([...read, ...conditions, ...measured]);
  const all = node.kind === "promote" ? allDependencies(node, plan) : dependenciesOf(node);
  return all.filter((name) => !required.has(name));
}
