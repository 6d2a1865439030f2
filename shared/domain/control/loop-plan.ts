// What a loop is beside its body: how often the body runs, and what changes from one time to the next.
import { z } from "zod";
import { LiteralType } from "../data-types.ts";

/** Iterations of a `do_while`, and items of a `parallel_for`, at most. */
export const maxIterations = 1000;

/** The input of a `parallel_for` that holds the items, when they are another node's output. No port can be called so. */
export const itemsInput = "(items)";

/** What an item may give: the body's inputs, and what they want. */
const ItemPort = z.object({
  /** Absent for data. */
  literal: LiteralType.optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  enum: z.array(z.string()).optional(),
  /** The body runs without it, or has a value of its own. */
  isOptional: z.boolean(),
});
export type ItemPort = z.infer<typeof ItemPort>;

/** Inputs of the body -> where their values lie; a literal lies in its own URI. */
export const Item = z.record(z.string(), z.string());
export type Item = z.infer<typeof Item>;

const DoWhilePlan = z.object({
  kind: z.literal("do_while"),
  /** Flat name of the step that is repeated; its nodes are in the plan's `bodies`. */
  body: z.string(),
  /** Output of the body -> inputs of it that read that output from the second iteration on. */
  mapping: z.record(z.string(), z.array(z.string())),
  /** The output of the body that says whether to go on; absent for a loop that only its limit ends. */
  condition: z.string().optional(),
  maxIterations: z.number().int().positive(),
});

const ParallelForPlan = z.object({
  kind: z.literal("parallel_for"),
  body: z.string(),
  /** Absent when they are read once the node starts. */
  items: z.array(Item).optional(),
  ports: z.record(z.string(), ItemPort),
  /** As many at once as there are items when absent. */
  maxConcurrency: z.number().int().positive().optional(),
});

export const LoopPlan = z.discriminatedUnion("kind", [DoWhilePlan, ParallelForPlan]);
export type LoopPlan = z.infer<typeof LoopPlan>;
