// What a plan is told to take and to cost, and how that is written.
import { z } from "zod";
import { Range } from "./durations.ts";

const Limits = z.object({
  seconds: z.number().optional(),
  /** US dollars. */
  cost: z.number().optional(),
});

export const NodeForecast = z.object({
  /** From its start to its end: in the queue, preparing and running. */
  seconds: Range.optional(),
  /** US dollars. */
  cost: Range.optional(),
  /** Of the seconds, those without a machine. */
  queuedSeconds: Range.optional(),
  /** Of the seconds, those before its command runs, where looks have seen it. */
  preparingSeconds: Range.optional(),
  /** Completed jobs that this is known from. */
  samples: z.number().int(),
  /** More may come: rounds, items or a price that nobody knows yet. */
  isAtLeast: z.boolean().optional(),
  /** What its limits let one attempt take at most, on the dearest of its sizes. */
  worst: Limits.optional(),
});
export type NodeForecast = z.infer<typeof NodeForecast>;

export const RunForecast = z.object({
  seconds: Range,
  /** US dollars. */
  cost: Range,
  /** Something that takes time or money is not in it: `notes` say what. */
  isAtLeast: z.boolean(),
  notes: z.array(z.string()),
  worst: Limits.optional(),
  /** US dollars that the run may cost at most. */
  maxCost: z.number().optional(),
});
export type RunForecast = z.infer<typeof RunForecast>;
