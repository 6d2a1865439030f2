// The model that a run wants to have registered: where it lies, and what it was measured with.
import { createNodeFacts } from "../reuse/node-facts.ts";
import { toLongDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { nodeKey } from "#shared/domain/node-key.ts";
import type { Plan, PlanInput, PlanNode } from "#shared/domain/plan.ts";
import type { PromotionPlan } from "#shared/domain/promotion/promotion-plan.ts";
import { modelInputsOf } from "#shared/domain/promotion/read-promotion.ts";
import type { RememberedOutput } from "#shared/domain/remembered-node.ts";
import type { App } from "../app.ts";

export type ModelOutput = Extract<PlanInput, { kind: "output" }>;

export interface Candidate {
  readonly plan: Plan;
  readonly promotion: PromotionPlan;
  /** The output that the model is. */
  readonly output: ModelOutput;
  /** Undefined when its node has made no such output. */
  readonly uri: string | undefined;
  /** Identity of its files; undefined when it cannot be told. */
  readonly content: string | undefined;
  readonly isEmpty: boolean;
}

/** What an activity about a promotion is given. */
export interface PromotionRequest {
  readonly runId: string;
  /** The node that decides. */
  readonly node: string;
  /** `node.output` -> URI. */
  readonly upstream: Readonly<Record<string, string>>;
}

export async function findCandidate(
  { plans, data, ml }: Pick<App, "plans" | "data" | "ml">,
  { runId, node, upstream }: PromotionRequest,
): Promise<Candidate> {
  const { plan } = await plans.get(runId);
  const planned = plan.nodes.find(({ name }) => name === node);
  const output = planned?.inputs["model"];
  if (planned?.promotion === undefined || output?.kind !== "output")
    throw new Error(`the plan of ${runId} has no promotion ${node}`);
  const uri = upstream[`${output.node}.${output.output}`];
  const found = { plan, promotion: planned.promotion, output };
  if (uri === undefined) return { ...found, uri, content: undefined, isEmpty: true };
  const seen = await data.identify({ uri, type: output.type });
  const isEmpty = seen.identity !== undefined && seen.files.length === 0;
  return { ...found, uri: toLongDatastoreUri(uri, ml.workspaceId), content: seen.identity, isEmpty };
}

/**
 * What a node measures models with and on: its key but for the model.
 *
 * @returns undefined when something that it reads cannot be told apart, or when it never measures the same twice
 */
export async function measureOf(
  clients: Pick<App, "assets" | "data">,
  node: PlanNode,
  output: ModelOutput,
  upstream: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (!node.isDeterministic) return undefined;
  const own = new Set(modelInputsOf(node, output));
  const rest = { ...node, inputs: Object.fromEntries(Object.entries(node.inputs).filter(([name]) => !own.has(name))) };
  const facts = createNodeFacts(clients);
  const outputs = new Map(Object.entries(upstream).map(([name, uri]): [string, RememberedOutput] => [name, { uri }]));
  const [ownFacts, read] = await Promise.all([facts.own(rest), facts.upstream(rest, outputs)]);
  if (ownFacts.unknown.length + read.unknown.length > 0) return undefined;
  return nodeKey(rest, { ...ownFacts.facts, ...read.facts });
}
