import { anything, mapping, positiveInteger, shape } from "../shape.ts";
import { createRefusedKind } from "./refused.ts";

export const doWhile = createRefusedKind({
  type: "do_while",
  why: "a loop, which does not run yet; write its rounds as nodes of their own",
  readsOutputsIn: ["body", "condition", "mapping"],
  fields: { body: anything, condition: anything, mapping, limits: shape({ max_iteration_count: positiveInteger }) },
  load: async (spec) => spec,
});
