// What became of a run's model: the rules one by one, the champion it was compared with, who agreed, and what it is now.
import { z } from "zod";

export const RuleOutcome = z.object({
  node: z.string(),
  metric: z.string(),
  /** Absent when the job has logged none, or one that is no number. */
  value: z.number().optional(),
  /** What it had to reach: the limit, or the champion's value. */
  threshold: z.number().optional(),
  /** The version that the value was compared with. */
  champion: z.string().optional(),
  isPassed: z.boolean(),
  /** In words: `accuracy 0.913 >= 0.9`. */
  detail: z.string(),
});
export type RuleOutcome = z.infer<typeof RuleOutcome>;

export const ApprovalDecision = z.enum(["approved", "rejected", "timed-out", "canceled"]);
export type ApprovalDecision = z.infer<typeof ApprovalDecision>;

/** The one answer of a run, which is written once and never changed. */
export const ApprovalAnswer = z.object({
  decision: ApprovalDecision,
  /** Who said so, in their own words. */
  by: z.string().optional(),
  comment: z.string().optional(),
  /** ISO 8601, UTC. */
  time: z.string(),
});
export type ApprovalAnswer = z.infer<typeof ApprovalAnswer>;

export const Approval = z.object({
  /** Since when an answer is waited for, and until when at the latest; absent when it was there before. */
  requestedTime: z.string().optional(),
  deadline: z.string().optional(),
  answer: ApprovalAnswer.optional(),
});
export type Approval = z.infer<typeof Approval>;

export const Promotion = z.object({
  /** Name of the registered model. */
  model: z.string(),
  stage: z.string(),
  /** Absent while it is being decided. */
  outcome: z.enum(["promoted", "already-promoted", "not-promoted"]).optional(),
  /** The version that the run's model is registered as. */
  version: z.string().optional(),
  /** In one line. */
  reason: z.string().optional(),
  rules: z.array(RuleOutcome),
  /** The version that had the stage before, and the run it came from. */
  champion: z.object({ version: z.string(), runId: z.string().optional() }).optional(),
  approval: Approval.optional(),
});
export type Promotion = z.infer<typeof Promotion>;

/** What happened, in one line without the reason: `Model digits:4 promoted to production`. */
export function headlineOf({ model, stage, version, outcome }: Promotion): string {
  const name = version === undefined ? model : `${model}:${version}`;
  if (outcome === "promoted") return `Model ${name} promoted to ${stage}`;
  if (outcome === "already-promoted") return `Model ${name} is in ${stage} already`;
  return outcome === "not-promoted" ? `Model ${name} not promoted` : `Model ${name} is being decided on`;
}
