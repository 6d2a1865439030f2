// What control flow tells of itself while it runs and when it has ended.
import { z } from "zod";

/** The part of an `if_else` that runs. */
export const Block = z.enum(["true_block", "false_block"]);

const RoundStatus = z.enum(["running", "completed", "failed", "canceled"]);

/** An iteration of a `do_while`, or an item of a `parallel_for`. */
const Round = z.object({
  /** Counts from 1. */
  number: z.number().int(),
  status: RoundStatus,
});

export type Round = z.infer<typeof Round>;

/** Of a loop: each round is a node of its own (`{node}.iteration_{number}`, `{node}.item_{number}`), or, where the body is a pipeline, several below that name. */
export const LoopSummary = z.object({
  /** Rounds there will be, where that is known. */
  total: z.number().int().optional(),
  /** Rounds that have begun. */
  begun: z.number().int(),
  completed: z.number().int(),
  /** The newest of them. */
  rounds: z.array(Round),
});
export type LoopSummary = z.infer<typeof LoopSummary>;
