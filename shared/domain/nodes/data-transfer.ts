import { anything, mapping, text } from "../shape.ts";
import { createRefusedKind } from "./refused.ts";

export const dataTransfer = createRefusedKind({
  type: "data_transfer",
  why: "a data transfer, which Azure ML keeps in preview and mlpipe does not run; copy the data in a command",
  fields: { task: text, data_copy_mode: text, source: mapping, sink: mapping, resources: anything },
  load: async (spec) => spec,
});
