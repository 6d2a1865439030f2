import { anything, listOf, mapping, shape, text } from "../shape.ts";
import { resources } from "./fields.ts";
import { createRefusedKind } from "./refused.ts";

export const spark = createRefusedKind({
  type: "spark",
  why: "a Spark job, which mlpipe has no cluster for; a command with pandas or polars reads the same data",
  fields: {
    code: text,
    entry: shape({ file: text, class_name: text }),
    py_files: listOf(text),
    jars: listOf(text),
    files: listOf(text),
    archives: listOf(text),
    conf: mapping,
    args: text,
    environment: anything,
    resources,
    additional_includes: listOf(anything),
  },
  async load(spec, loader, path) {
    return loader.environment(await loader.code(spec, path), path);
  },
});
