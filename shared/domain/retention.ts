// What is kept for how long, and what a pass over it has removed.
import { z } from "zod";

export const RetentionPolicy = z.object({
  /** Days after its end that the history of a run is kept. */
  historyDays: z.number(),
  /** Days that what makes a node reusable is kept after it was made or last reused. */
  cacheDays: z.number(),
  /** Days after its end that a run's outputs are kept; absent keeps them for good. */
  outputDays: z.number().optional(),
  /** Days that entries of the event record are kept. */
  eventDays: z.number(),
});
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

export const RetentionReport = z.object({
  policy: RetentionPolicy,
  /** Nothing was removed: this is what would be. */
  isDryRun: z.boolean(),
  /** False when there was more than one pass removes. */
  isComplete: z.boolean(),
  histories: z.object({
    /** Runs whose history went; their document is kept. */
    runs: z.array(z.string()),
    /** Durable instances that went: of runs, nodes and datasets. */
    instances: z.number().int(),
  }),
  cacheEntries: z.number().int(),
  outputs: z.object({
    removed: z.array(z.object({ runId: z.string(), files: z.number().int(), bytes: z.number() })),
    /** Runs as old whose outputs something still stands on. */
    kept: z.array(z.object({ runId: z.string(), reason: z.string() })),
  }),
});
export type RetentionReport = z.infer<typeof RetentionReport>;
