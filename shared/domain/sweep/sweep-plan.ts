// What a sweep node is beside its trial: the space, the sampler, the goal, the limits and when to stop a trial early.
import { z } from "zod";
import { Distribution } from "./search-space.ts";

export const SamplingAlgorithm = z.object({
  type: z.enum(["random", "grid", "bayesian"]),
  /** Of the random sampler: independent numbers, or a Sobol sequence that covers the space evenly. */
  rule: z.enum(["random", "sobol"]).default("random"),
  seed: z.number().int().default(0),
});

export const EarlyTermination = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("bandit"),
    slack_factor: z.number().positive().optional(),
    slack_amount: z.number().positive().optional(),
    evaluation_interval: z.number().int().positive().default(1),
    delay_evaluation: z.number().int().nonnegative().default(0),
  }),
  z.object({
    type: z.literal("median_stopping"),
    evaluation_interval: z.number().int().positive().default(1),
    delay_evaluation: z.number().int().nonnegative().default(0),
  }),
  z.object({
    type: z.literal("truncation_selection"),
    truncation_percentage: z.number().int().min(1).max(99),
    evaluation_interval: z.number().int().positive().default(1),
    delay_evaluation: z.number().int().nonnegative().default(0),
  }),
]);
export type EarlyTermination = z.infer<typeof EarlyTermination>;

export const SweepPlan = z.object({
  /** Input of the trial -> where its values come from. */
  searchSpace: z.record(z.string(), Distribution),
  sampling: SamplingAlgorithm,
  objective: z.object({ goal: z.enum(["minimize", "maximize"]), primaryMetric: z.string() }),
  limits: z.object({
    maxTotalTrials: z.number().int().positive(),
    maxConcurrentTrials: z.number().int().positive(),
    timeoutSeconds: z.number().int().positive().optional(),
    trialTimeoutSeconds: z.number().int().positive().optional(),
  }),
  earlyTermination: EarlyTermination.optional(),
});
export type SweepPlan = z.infer<typeof SweepPlan>;

export const TrialStatus = z.enum(["running", "completed", "failed", "canceled", "stopped"]);

export const Trial = z.object({
  /** Counts from 1. */
  number: z.number().int(),
  values: z.record(z.string(), z.string()),
  status: TrialStatus,
  /** Best value of the primary metric it logged. */
  metric: z.number().optional(),
});
export type Trial = z.infer<typeof Trial>;

/** What a sweep node tells of itself when it has ended, and while it runs. */
export const SweepSummary = z.object({
  goal: z.enum(["minimize", "maximize"]),
  primaryMetric: z.string(),
  bestTrial: z.number().int().optional(),
  trials: z.array(Trial),
});
export type SweepSummary = z.infer<typeof SweepSummary>;

/** Whether `a` is better than `b`. */
export function isBetter(goal: "minimize" | "maximize", a: number, b: number): boolean {
  return goal === "minimize" ? a < b : a > b;
}

/** The completed trial with the best metric; undefined when none logged one. A stopped trial has no outputs to hand on. */
export function bestTrial(trials: readonly Trial[], goal: "minimize" | "maximize"): Trial | undefined {
  let best: Trial | undefined;
  for (const trial of trials) {
    if (trial.metric === undefined || trial.status !== "completed") continue;
    if (best?.metric === undefined || isBetter(goal, trial.metric, best.metric)) best = trial;
  }
  return best;
}
