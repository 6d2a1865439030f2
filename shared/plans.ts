// Plans of runs, kept as blobs: what an activity needs of a run's spec, it reads from here and not from a message.
import { z } from "zod";
import type { Blobs } from "./azure/blob.ts";
import { planPath } from "./domain/layout.ts";
import { Plan } from "./domain/plan.ts";
import { MlpipeError } from "./errors.ts";

/** The plan with what is needed to tell a repeated request from another one. */
export const StoredPlan = z.object({
  requestHash: z.string(),
  createdTime: z.string(),
  plan: Plan,
});
export type StoredPlan = z.infer<typeof StoredPlan>;

/** Plans never change, so the last few are kept in memory. */
const kept = 50;

export type Plans = ReturnType<typeof createPlans>;

export function createPlans(blobs: Blobs) {
  const cache = new Map<string, StoredPlan>();

  function keep(runId: string, stored: StoredPlan): StoredPlan {
    cache.set(runId, stored);
    const oldest = cache.keys().next();
    if (cache.size > kept && oldest.done !== true) cache.delete(oldest.value);
    return stored;
  }

  async function find(runId: string): Promise<StoredPlan | undefined> {
    const known = cache.get(runId);
    if (known !== undefined) return known;
    const text = await blobs.readText(planPath(runId));
    return text === undefined ? undefined : keep(runId, StoredPlan.parse(JSON.parse(text)));
  }

  return {
    /** @returns the run's plan, or undefined when there is no such run */
    find,

    /** @throws MlpipeError `NotFound` */
    async get(runId: string): Promise<StoredPlan> {
      const stored = await find(runId);
      if (stored === undefined) throw new MlpipeError("NotFound", `There is no run ${runId}`);
      return stored;
    },

    /**
     * Stores the plan of a new run.
     *
     * @returns false when the run exists already; the plan stored first stays
     */
    async create(runId: string, stored: StoredPlan): Promise<boolean> {
      const isNew = await blobs.createText(planPath(runId), JSON.stringify(stored));
      if (isNew) keep(runId, stored);
      return isNew;
    },
  };
}
