// What is remembered of a node that has completed: what it was made of, what it made, and which run did it.
import { z } from "zod";
import { NodeName } from "./plan.ts";
import { RunId } from "./run.ts";

/** Of a node that is about to start: what it is made of, as far as neither the plan nor the nodes before it say. Travels with the node. */
export const NodeRecipe = z.object({
  /** NodeFacts of node-key.ts but for the outputs of other nodes, which stay as they are. */
  facts: z.record(z.string(), z.string()),
  /** Input -> URI of its data. */
  uris: z.record(z.string(), z.string()),
  /** Why its result may never stand for another's: data that cannot be told apart. */
  unknown: z.array(z.string()).optional(),
  /** The nearest earlier run of this node that completed. */
  previous: z
    .object({ key: z.string(), runId: RunId, node: z.string(), jobName: z.string().optional(), endTime: z.string() })
    .optional(),
  /** The run whose result would have done, had its outputs still been there. */
  gone: z.string().optional(),
});
export type NodeRecipe = z.infer<typeof NodeRecipe>;

export const RememberedOutput = z.object({
  uri: z.string(),
  /** See data-identity.ts; absent when it cannot be told. */
  identity: z.string().optional(),
});
export type RememberedOutput = z.infer<typeof RememberedOutput>;

export const RememberedNode = z.object({
  key: z.string(),
  /** False for what may be continued but not reused: forced, not deterministic, or made of data that cannot be told apart. */
  isReusable: z.boolean(),
  runId: RunId,
  node: NodeName,
  /** Its logs and its MLflow run are kept under this name. */
  jobName: z.string().optional(),
  instanceType: z.string().optional(),
  startTime: z.string(),
  endTime: z.string(),
  outputs: z.record(z.string(), RememberedOutput),
});
export type RememberedNode = z.infer<typeof RememberedNode>;

/** The blob of one key. */
export const CacheEntry = RememberedNode.extend({
  pipeline: z.string(),
  component: z.string(),
  /** Ingredients of node-key.ts, secrets replaced. */
  ingredients: z.record(z.string(), z.string()),
  /** Input -> URI it was read from. */
  data: z.record(z.string(), z.string()),
});
export type CacheEntry = z.infer<typeof CacheEntry>;

/** What the nodes of one run, or the latest ones of a pipeline, have made: one read for a whole graph. A hint; entries are the truth. */
export const RememberedNodes = z.object({ nodes: z.record(z.string(), RememberedNode) });
export type RememberedNodes = z.infer<typeof RememberedNodes>;

/** What a recipe says of an earlier node. */
export function toPrevious({
  key,
  runId,
  node,
  jobName,
  endTime,
}: RememberedNode): NonNullable<NodeRecipe["previous"]> {
  return { key, runId, node, endTime, ...(jobName === undefined ? {} : { jobName }) };
}

/** An entry without what only an explanation needs. */
export function toRememberedNode(entry: RememberedNode): RememberedNode {
  return RememberedNode.parse(entry);
}
