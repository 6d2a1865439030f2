// What a node is made of, however it came to be: written here, read from a file, registered, or a pipeline of its own.
import type { InputPorts, OutputPorts } from "./ports.ts";

export type ComponentKind = "command" | "parallel" | "pipeline";

/** The value of a `component:` field: a mapping, or what names one. */
type ComponentSource = string | Readonly<Record<string, unknown>>;

export interface Component<
  Inputs extends InputPorts = InputPorts,
  Outputs extends OutputPorts = OutputPorts,
  Kind extends ComponentKind = ComponentKind,
> {
  readonly kind: Kind;
  readonly name: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  readonly source: ComponentSource;
}

/** What a component written here says of itself, of whatever kind. */
export interface ComponentFields<Inputs extends InputPorts, Outputs extends OutputPorts> {
  /** Lower case letters, digits and `_`. */
  readonly name: string;
  readonly version?: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** False: the same inputs do not give the same outputs, so a result is never used again. */
  readonly is_deterministic?: boolean;
  readonly inputs?: Inputs;
  readonly outputs?: Outputs;
  /** `import.meta.url` of the module: paths are then relative to it, otherwise to the pipeline's own file. */
  readonly from?: string;
}
