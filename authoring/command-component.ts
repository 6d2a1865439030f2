// A command component written in TypeScript.
import type { Component, ComponentFields } from "./component.ts";
import type { CommandFields, Environment } from "./fields.ts";
import { fromModule } from "./local-path.ts";
import type { InputPorts, OutputPorts } from "./ports.ts";
import { writeEnvironment, writeFields, writeOutputs } from "./write-fields.ts";

/** Names that `Command` uses of one side: `a` and `b` in `${{inputs.a}} ${{ inputs.b }}`. */
type NamesIn<
  Command extends string,
  Side extends "inputs" | "outputs",
> = Command extends `${string}\${{${infer Inside}}}${infer Rest}`
  ? (Trimmed<Inside> extends `${Side}.${infer Name}` ? Name : never) | NamesIn<Rest, Side>
  : never;
type Trimmed<Text extends string> = Text extends ` ${infer Rest}` | `${infer Rest} ` ? Trimmed<Rest> : Text;

/** A literal text that names only what there is; otherwise the sentence that says what is not there. */
export type Checked<Command extends string, Inputs, Outputs> = [
  Exclude<NamesIn<Command, "inputs">, keyof Inputs>,
] extends [never]
  ? [Exclude<NamesIn<Command, "outputs">, keyof Outputs>] extends [never]
    ? Command
    : `there is no output \`${Exclude<NamesIn<Command, "outputs">, keyof Outputs>}\``
  : `there is no input \`${Exclude<NamesIn<Command, "inputs">, keyof Inputs & string>}\``;

interface CommandComponentFields<Inputs extends InputPorts, Outputs extends OutputPorts>
  extends ComponentFields<Inputs, Outputs>, CommandFields {
  readonly environment: Environment;
  /** The folder with the program. */
  readonly code?: string;
  /** Further files and folders for the snapshot. */
  readonly additional_includes?: readonly string[];
}

/**
 * A component that runs one command.
 *
 * @example
 * const train = commandComponent({
 *   name: "train",
 *   from: import.meta.url,
 *   inputs: { images: uriFolder(), epochs: integer({ default: 10, min: 1 }) },
 *   outputs: { model: uriFolder() },
 *   code: "./src",
 *   environment: "azureml:keras@latest",
 *   command: "python train.py --images ${{inputs.images}} --epochs ${{inputs.epochs}} --model ${{outputs.model}}",
 * });
 */
export function commandComponent<
  const Command extends string,
  const Inputs extends InputPorts = Record<never, never>,
  const Outputs extends OutputPorts = Record<never, never>,
>(
  fields: CommandComponentFields<Inputs, Outputs> & {
    /** Inputs and outputs by `${{inputs.x}}` and `${{outputs.x}}`; parts for optional inputs between `$[[` and `]]`. */
    readonly command: Checked<Command, Inputs, Outputs>;
  },
): Component<Inputs, Outputs, "command"> {
  const { from, inputs, outputs, code, environment, additional_includes: includes, ...rest } = fields;
  const source = {
    type: "command",
    ...writeFields({ ...rest }, {}, `component ${fields.name}`),
    ...(inputs === undefined ? {} : { inputs }),
    ...writeOutputs(outputs),
    ...(code === undefined ? {} : { code: fromModule(code, from) }),
    ...(includes === undefined ? {} : { additional_includes: includes.map((path) => fromModule(path, from)) }),
    environment: writeEnvironment(environment, from),
  };
  // Without declarations both are the empty mapping that their types default to.
  return {
    kind: "command",
    name: fields.name,
    inputs: inputs ?? ({} as Inputs),
    outputs: outputs ?? ({} as Outputs),
    source,
  };
}
