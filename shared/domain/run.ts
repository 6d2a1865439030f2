// A run is one execution of a pipeline; a node run wraps one job. This is the document the API, the command line and
// the page all render, and the only place where a status is given a meaning.
import { z } from "zod";
import { Block, LoopSummary } from "./control/loop-summary.ts";
import { Promotion } from "./promotion/promotion.ts";
import { SweepSummary } from "./sweep/sweep-plan.ts";
import { FailureClass } from "./failure-class.ts";
import { ResolvedAsset } from "./resolved-asset.ts";

export const RunId = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,79}$/, "letters, digits, `_` and `-`, at most 80");
export type RunId = z.infer<typeof RunId>;

export const RunStatus = z.enum(["queued", "running", "completed", "failed", "canceled"]);
export type RunStatus = z.infer<typeof RunStatus>;

export const NodeStatus = z.enum([
  "waiting",
  "queued",
  "running",
  "completed",
  "reused",
  "failed",
  "canceled",
  "skipped",
]);
export type NodeStatus = z.infer<typeof NodeStatus>;

/** Whether nothing more will happen, and whether it counts as done well, per status. */
export const runStatusFacts = {
  queued: { isTerminal: false, isSuccess: false },
  running: { isTerminal: false, isSuccess: false },
  completed: { isTerminal: true, isSuccess: true },
  failed: { isTerminal: true, isSuccess: false },
  canceled: { isTerminal: true, isSuccess: false },
} as const satisfies Record<RunStatus, { isTerminal: boolean; isSuccess: boolean }>;

export const nodeStatusFacts = {
  waiting: { isTerminal: false, isSuccess: false },
  queued: { isTerminal: false, isSuccess: false },
  running: { isTerminal: false, isSuccess: false },
  completed: { isTerminal: true, isSuccess: true },
  reused: { isTerminal: true, isSuccess: true },
  failed: { isTerminal: true, isSuccess: false },
  canceled: { isTerminal: true, isSuccess: false },
  skipped: { isTerminal: true, isSuccess: false },
} as const satisfies Record<NodeStatus, { isTerminal: boolean; isSuccess: boolean }>;

/** Why a node did not complete. `logTail` is the end of the job's own log, already stripped of credentials. */
export const NodeFailure = z.object({
  reason: z.string(),
  /** Absent for what is no job's failure: a request refused, a limit, a word of ours. */
  class: FailureClass.or(z.literal("cost-cap")).optional(),
  /** Another attempt would end the same. */
  isLasting: z.boolean().optional(),
  /** Which memory an `out-of-memory` ran out of. */
  memory: z.enum(["gpu", "machine"]).optional(),
  exitCode: z.number().int().optional(),
  logTail: z.array(z.string()).optional(),
});
export type NodeFailure = z.infer<typeof NodeFailure>;

/** An attempt that was followed by another. */
export const NodeAttempt = z.object({
  attempt: z.number().int().positive(),
  /** Absent when the service refused to make the job. */
  jobName: z.string().optional(),
  instanceType: z.string().optional(),
  class: NodeFailure.shape.class,
  reason: z.string(),
  /** ISO 8601, UTC. */
  startTime: z.string(),
  endTime: z.string(),
});
export type NodeAttempt = z.infer<typeof NodeAttempt>;

/** The node of another run whose outputs, logs and metrics stand for a reused node's. */
export const ReusedFrom = z.object({ runId: RunId, node: z.string(), jobName: z.string().optional() });
export type ReusedFrom = z.infer<typeof ReusedFrom>;

/** US dollars for machines, as far as it has been seen. */
const Spent = z.object({
  spent: z.number().nonnegative(),
  /** There were machines whose price nobody knows. */
  isAtLeast: z.literal(true).optional(),
});

export const RunCost = Spent.extend({
  /** What running jobs were lent beyond what they have spent. */
  held: z.number().nonnegative().optional(),
  cap: z.number().positive().optional(),
});
export type RunCost = z.infer<typeof RunCost>;

export const NodeRun = z.object({
  name: z.string(),
  status: NodeStatus,
  component: z.string(),
  dependsOn: z.array(z.string()),
  /** Counts from 1; a new attempt is a new job. */
  attempt: z.number().int().nonnegative(),
  jobName: z.string().optional(),
  /** Azure ML's own word for where the job is, while it is running. */
  jobStatus: z.string().optional(),
  /** The size the job got. */
  instanceType: z.string().optional(),
  /** Sizes that were asked for first and refused, with the service's reason. */
  refusedInstanceTypes: z.array(z.object({ instanceType: z.string(), reason: z.string() })).optional(),
  /** Earlier attempts that failed, the last ten of them, oldest first. */
  attempts: z.array(NodeAttempt).optional(),
  /** What the node waits for before its next job: a free slot, a pause between attempts, a service that is down. */
  waitsFor: z.string().optional(),
  /** ISO 8601, UTC. */
  startTime: z.string().optional(),
  endTime: z.string().optional(),
  /** Output name -> `azureml://datastores/...` URI. */
  outputs: z.record(z.string(), z.string()).optional(),
  failure: NodeFailure.optional(),
  reusedFrom: ReusedFrom.optional(),
  /** Absent where no machine was used, or none is known of. */
  cost: Spent.optional(),
  /** Of a sweep: its trials; each is a node of its own, `{node}.trial_{number}`. */
  sweep: SweepSummary.optional(),
  /** Of an `if_else`: the block that runs. */
  taken: Block.optional(),
  /** Of a loop: its rounds. */
  loop: LoopSummary.optional(),
  /** Of the node that decides on the run's model. */
  promotion: Promotion.optional(),
});
export type NodeRun = z.infer<typeof NodeRun>;

export const RunDocument = z.object({
  runId: RunId,
  pipeline: z.string(),
  displayName: z.string().optional(),
  experimentName: z.string(),
  status: RunStatus,
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
  endTime: z.string().optional(),
  /** In plan order. */
  nodes: z.array(NodeRun),
  /** Pipeline output name -> URI, once the node that makes it has completed. */
  outputs: z.record(z.string(), z.string()),
  /** What a queued run waits for, or one that runs and waits for an answer. */
  waitsFor: z.string().optional(),
  /** What became of the run's model, where the pipeline says that it is to be registered. */
  promotion: Promotion.optional(),
  /** Why the run failed: the first node that did, or what kept it from starting. */
  failure: z.object({ node: z.string().optional(), reason: z.string() }).optional(),
  tags: z.record(z.string(), z.string()),
  /** What the names of registered things stood for when the run was started: labels and names without a version, too. */
  assets: z.array(ResolvedAsset).optional(),
  /** What all its jobs have cost, those of trials and rounds too; reused nodes cost nothing. */
  cost: RunCost.optional(),
  /** The run that this one was started to continue. */
  continues: RunId.optional(),
  /** Its history has aged out, then: this document is what was kept of it. */
  archivedTime: z.string().optional(),
  /** Its outputs have aged out. */
  outputsRemovedTime: z.string().optional(),
});
export type RunDocument = z.infer<typeof RunDocument>;

export const RunSummary = RunDocument.pick({
  runId: true,
  pipeline: true,
  status: true,
  createdTime: true,
  lastUpdatedTime: true,
}).extend({ nodeCount: z.number().int(), completedNodeCount: z.number().int() });
export type RunSummary = z.infer<typeof RunSummary>;
