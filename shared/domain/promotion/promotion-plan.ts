// What a pipeline's `settings.mlpipe.promote` asks for: which rules a model has to meet, who has to agree, and what it becomes then.
import { z } from "zod";

const measured = {
  /** The node whose job logs the metric. */
  node: z.string(),
  metric: z.string(),
};

export const PromotionRule = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("limit"), ...measured, atLeast: z.number().optional(), atMost: z.number().optional() }),
  /** Better than the champion, measured on the same data. */
  z.object({
    kind: z.literal("champion"),
    ...measured,
    goal: z.enum(["maximize", "minimize"]),
    /** By how much at least; 0 asks for anything better, and a tie is not. */
    by: z.number().nonnegative(),
    /** What becomes of the rule when there is a champion and nobody can tell how good it is. */
    ifUnscorable: z.enum(["reject", "pass"]),
  }),
]);
export type PromotionRule = z.infer<typeof PromotionRule>;

export const PromotionPlan = z.object({
  /** Name of the registered model. */
  model: z.string(),
  /** The tag `stage` that one version of the model carries: the champion. */
  stage: z.string(),
  rules: z.array(PromotionRule),
  /** Somebody has to agree within that time. */
  approval: z.object({ timeoutSeconds: z.number().int().positive() }).optional(),
});
export type PromotionPlan = z.infer<typeof PromotionPlan>;

/** The tag of a version that was a champion, and the one stage that nobody can ask for. */
export const formerStage = "archived";
