// A parallel component written in TypeScript: one script over many mini-batches of one input.
import type { Checked } from "./command-component.ts";
import type { Component, ComponentFields } from "./component.ts";
import type { CommandFields, Environment, ParallelFields } from "./fields.ts";
import { fromModule } from "./local-path.ts";
import type { DataInput, InputPorts, OutputPorts } from "./ports.ts";
import { writeEnvironment, writeFields, writeMiniBatches, writeOutputs } from "./write-fields.ts";

/** Names of the inputs, or outputs, that are data. */
type DataNames<Ports> = {
  [Name in keyof Ports]: Ports[Name] extends { readonly type: DataInput["type"] } ? Name : never;
}[keyof Ports] &
  string;

interface Task<Outputs extends OutputPorts> {
  /** The folder with the script. */
  readonly code?: string;
  /** The script, in `code`: it has `run(mini_batch)`, and may have `init()` and `shutdown()`. */
  readonly entry_script: string;
  readonly environment: Environment;
  /** Where the rows that `run` returns go, in the order of the mini-batches. */
  readonly append_row_to?: `\${{outputs.${DataNames<Outputs>}}}`;
}

interface ParallelComponentFields<Inputs extends InputPorts, Outputs extends OutputPorts>
  extends
    ComponentFields<Inputs, Outputs>,
    ParallelFields,
    Pick<CommandFields, "environment_variables" | "resources" | "limits"> {
  /** The input that is cut into mini-batches. */
  readonly input_data: `\${{inputs.${DataNames<Inputs>}}}`;
}

/**
 * A component that runs one script over many mini-batches of one input.
 *
 * @example
 * const score = parallelComponent({
 *   name: "score",
 *   from: import.meta.url,
 *   inputs: { images: uriFolder(), model: uriFolder() },
 *   outputs: { rows: uriFile() },
 *   input_data: "${{inputs.images}}",
 *   mini_batch_size: "10mb",
 *   task: {
 *     code: "./src",
 *     entry_script: "score.py",
 *     environment: "azureml:keras@latest",
 *     program_arguments: "--model ${{inputs.model}}",
 *     append_row_to: "${{outputs.rows}}",
 *   },
 * });
 */
export function parallelComponent<
  const Arguments extends string,
  const Inputs extends InputPorts = Record<never, never>,
  const Outputs extends OutputPorts = Record<never, never>,
>(
  fields: ParallelComponentFields<Inputs, Outputs> & {
    readonly task: Task<Outputs> & {
      /** Split into words like a shell's, but seen by none; each literal is one argument. */
      readonly program_arguments?: Checked<Arguments, Inputs, Outputs>;
    };
  },
): Component<Inputs, Outputs, "parallel"> {
  const { from, inputs, outputs, task, ...rest } = fields;
  const { code, environment, ...run } = task;
  const source = {
    type: "parallel",
    ...writeFields(writeMiniBatches({ ...rest }), {}, `component ${fields.name}`),
    ...(inputs === undefined ? {} : { inputs }),
    ...writeOutputs(outputs),
    task: {
      type: "run_function",
      ...(code === undefined ? {} : { code: fromModule(code, from) }),
      environment: writeEnvironment(environment, from),
      ...run,
    },
  };
  // Without declarations both are the empty mapping that their types default to.
  return {
    kind: "parallel",
    name: fields.name,
    inputs: inputs ?? ({} as Inputs),
    outputs: outputs ?? ({} as Outputs),
    source,
  };
}
