import { anything, positiveInteger } from "../shape.ts";
import { createRefusedKind } from "./refused.ts";

export const parallelFor = createRefusedKind({
  type: "parallel_for",
  why: "a parallel loop, which does not run yet; write one node per item",
  readsOutputsIn: ["body", "items"],
  fields: { body: anything, items: anything, max_concurrency: positiveInteger },
  load: async (spec) => spec,
});
