import { mapping, text } from "../shape.ts";
import { createRefusedKind } from "./refused.ts";

export const importKind = createRefusedKind({
  type: "import",
  why: "a data import from a database, which Azure ML keeps in preview and mlpipe does not run; read the source in a command",
  fields: { source: mapping, output: mapping, connection: text, query: text },
  load: async (spec) => spec,
});
