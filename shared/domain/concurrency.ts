// How many runs and jobs of one pipeline may be on their way at once; the app's own settings say the same for all of them.
import { z } from "zod";

export const Concurrency = z.object({
  maxRuns: z.number().int().positive().optional(),
  maxJobs: z.number().int().positive().optional(),
  /** Size -> jobs on it. */
  maxJobsPerSize: z.record(z.string(), z.number().int().positive()).optional(),
});
export type Concurrency = z.infer<typeof Concurrency>;
