import { anything } from "../shape.ts";
import { createRefusedKind } from "./refused.ts";

export const ifElse = createRefusedKind({
  type: "if_else",
  why: "a condition, which does not run yet; let the command decide",
  readsOutputsIn: ["condition", "true_block", "false_block"],
  fields: { condition: anything, true_block: anything, false_block: anything },
  load: async (spec) => spec,
});
