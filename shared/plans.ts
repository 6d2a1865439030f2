// Plans of runs, kept as blobs: what an activity needs of a run's spec, it reads from here and not from a message.
import { z } from "zod";
import type { Blobs } from "./azure/blob.ts";
import { InputValue } from "./domain/input-value.ts";
import { planPath, requestPath } from "./domain/layout.ts";
import { Plan } from "./domain/plan.ts";
import { MlpipeError } from "./errors.ts";
import { createRecentMap } from "./recent-map.ts";

/** The plan with what is needed to tell a repeated request from another one. */
export const StoredPlan = z.object({
  requestHash: z.string(),
  createdTime: z.string(),
  plan: Plan,
});
export type StoredPlan = z.infer<typeof StoredPlan>;

/** What a run was started with, for a rerun with other inputs. */
export const StoredRequest = z.object({
  document: z.looseObject({ type: z.literal("pipeline") }),
  name: z.string().optional(),
  inputs: z.record(z.string(), InputValue).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  displayName: z.string().optional(),
  experimentName: z.string().optional(),
  reference: z.string().optional(),
  /** Of a registered pipeline. */
  pipelineVersion: z.string().optional(),
  maxCost: z.number().optional(),
});
export type StoredRequest = z.infer<typeof StoredRequest>;

/** Plans never change: as many as have so many nodes together are kept in memory, so that no activity of a live run reads its plan. */
const keptNodes = 20_000;

export type Plans = ReturnType<typeof createPlans>;

export function createPlans(blobs: Blobs) {
  const cache = createRecentMap<StoredPlan>(keptNodes);

  function keep(runId: string, stored: StoredPlan): StoredPlan {
    cache.set(runId, stored, stored.plan.nodes.length);
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

    /** @returns what a run was started with, or undefined when it was not kept */
    async request(runId: string): Promise<StoredRequest | undefined> {
      const text = await blobs.readText(requestPath(runId));
      return text === undefined ? undefined : StoredRequest.safeParse(JSON.parse(text)).data;
    },

    /**
     * Stores the plan of a new run and, where it is known, the request that led to it.
     *
     * @returns false when the run exists already; what was stored first stays
     */
    async create(runId: string, stored: StoredPlan, request?: z.input<typeof StoredRequest>): Promise<boolean> {
      const [isNew] = await Promise.all([
        blobs.createText(planPath(runId), JSON.stringify(stored)),
        request === undefined ? undefined : blobs.createText(requestPath(runId), JSON.stringify(request)),
      ]);
      if (isNew) keep(runId, stored);
      return isNew;
    },
  };
}
