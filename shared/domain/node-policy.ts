// What a node, or its pipeline for all nodes, says of trying again and of time: overrides of the defaults in failure-class.ts.
import { z } from "zod";
import { FailureClass, failureClasses, RetryRule } from "./failure-class.ts";

const NodeLimits = z.object({
  queuedSeconds: z.number().int().positive().optional(),
  preparingSeconds: z.number().int().positive().optional(),
  runningSeconds: z.number().int().positive().optional(),
  finalizingSeconds: z.number().int().positive().optional(),
  /** All attempts together, with the waits between them. */
  nodeSeconds: z.number().int().positive().optional(),
});

const RetryOverride = z.object({
  maxAttempts: RetryRule.shape.maxAttempts.optional(),
  delaySeconds: RetryRule.shape.delaySeconds.optional(),
  maxDelaySeconds: RetryRule.shape.maxDelaySeconds.optional(),
  biggerSize: RetryRule.shape.biggerSize,
  spotAttempts: RetryRule.shape.spotAttempts,
});

export const NodePolicy = z.object({
  retry: z.partialRecord(FailureClass, RetryOverride).optional(),
  limits: NodeLimits.optional(),
});
export type NodePolicy = z.infer<typeof NodePolicy>;

/** The node's own word over its pipeline's, field by field; undefined when neither says anything. */
export function mergePolicies(node: NodePolicy | undefined, pipeline: NodePolicy | undefined): NodePolicy | undefined {
  if (node === undefined || pipeline === undefined) return node ?? pipeline;
  const classes = FailureClass.options.filter((name) => node.retry?.[name] ?? pipeline.retry?.[name]);
  const retry = Object.fromEntries(classes.map((name) => [name, { ...pipeline.retry?.[name], ...node.retry?.[name] }]));
  const limits = { ...pipeline.limits, ...node.limits };
  return {
    ...(classes.length === 0 ? {} : { retry }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** The rule for a class: what the policy says of it over the default. */
export function retryRule(policy: NodePolicy | undefined, name: FailureClass): RetryRule {
  const given = Object.entries(policy?.retry?.[name] ?? {}).filter(([, value]) => value !== undefined);
  return { ...failureClasses[name].retry, ...Object.fromEntries(given) };
}
