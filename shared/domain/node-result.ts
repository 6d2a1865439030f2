// What a node's orchestration knows while it runs, and what it hands to the run's when it has ended.
import { z } from "zod";
import { JobTiming } from "./cost/durations.ts";
import { MachineTime } from "./cost/machine-time.ts";
import { RememberedNode } from "./remembered-node.ts";
import { Block, LoopSummary } from "./control/loop-summary.ts";
import { Promotion } from "./promotion/promotion.ts";
import { NodeAttempt, NodeFailure, ReusedFrom } from "./run.ts";
import { SweepSummary } from "./sweep/sweep-plan.ts";

export const RefusedInstanceType = z.object({ instanceType: z.string(), reason: z.string() });

/** Custom status of a node's orchestration. */
export const NodeProgress = z.object({
  attempt: z.number().int(),
  jobName: z.string().optional(),
  jobStatus: z.string().optional(),
  instanceType: z.string().optional(),
  refused: z.array(RefusedInstanceType),
  /** ISO 8601: when the node's orchestration began. */
  startTime: z.string(),
  /** Earlier attempts that failed: the last ten, oldest first; absent when there were none. */
  attempts: z.array(NodeAttempt).optional(),
  /** What it waits for before its next job. */
  waitsFor: z.string().optional(),
  /** How long its machines were used so far; absent where it used none. */
  machineTime: MachineTime.optional(),
  /** Of a sweep: its trials so far. */
  sweep: SweepSummary.optional(),
  /** Of an `if_else` that has decided. */
  taken: Block.optional(),
  /** Of a loop: its rounds so far. */
  loop: LoopSummary.optional(),
  /** It has ended and says so to its run. */
  isReporting: z.boolean().optional(),
  /** Of the node that decides on the run's model. */
  promotion: Promotion.optional(),
});
export type NodeProgress = z.infer<typeof NodeProgress>;

const ended = { ...NodeProgress.shape, node: z.string(), endTime: z.string() };

export const NodeResult = z.discriminatedUnion("status", [
  z.object({
    ...ended,
    status: z.literal("completed"),
    outputs: z.record(z.string(), z.string()),
    /** Of the job that completed. */
    timing: JobTiming.optional(),
    /** Set once it has been remembered. */
    remembered: RememberedNode.optional(),
  }),
  z.object({ ...ended, status: z.literal("failed"), failure: NodeFailure }),
  z.object({ ...ended, status: z.literal("canceled"), failure: NodeFailure.optional() }),
]);
export type NodeResult = z.infer<typeof NodeResult>;

/** A node that did not have to run: another run's node of the same key stands for it, with its outputs, logs and metrics. */
export const ReusedResult = z.object({
  ...ended,
  status: z.literal("reused"),
  outputs: z.record(z.string(), z.string()),
  /** Output name -> identity of its data, see data-identity.ts. */
  identities: z.record(z.string(), z.string()),
  /** See node-key.ts. */
  key: z.string(),
  reusedFrom: ReusedFrom,
});
export type ReusedResult = z.infer<typeof ReusedResult>;
