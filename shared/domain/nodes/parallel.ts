// One script over many mini-batches of one input.
import { fieldOf } from "../issue-list.ts";
import { anything, integer, isMapping, listOf, number, positiveInteger, recordOf, shape, text } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { resources } from "./fields.ts";
import { createRefusedKind } from "./refused.ts";

export const parallel = createRefusedKind({
  type: "parallel",
  why: "a parallel job, which does not run yet; a command can go through the files itself",
  fields: {
    input_data: text,
    mini_batch_size: anything,
    partition_keys: listOf(text),
    error_threshold: integer,
    mini_batch_error_threshold: integer,
    logging_level: text,
    max_concurrency_per_instance: positiveInteger,
    retry_settings: shape({ max_retries: integer, timeout: number }),
    task: shape({
      type: text,
      code: text,
      entry_script: text,
      environment: anything,
      program_arguments: text,
      append_row_to: text,
      model: anything,
    }),
    environment_variables: recordOf(text),
    resources,
    distribution: anything,
  },

  async load(spec, loader, path) {
    if (!isMapping(spec.task)) return spec;
    const taskPath = fieldOf(path, spec, "task").path;
    const task = await loader.environment(await loader.code(spec.task, taskPath), taskPath);
    return keepSource(spec, { ...spec, task });
  },
});
