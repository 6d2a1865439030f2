// What a node is made of, however it came to be: written here, read from a file, registered, or a pipeline of its own.
import type { InputPorts, OutputPorts } from "./ports.ts";

export type ComponentKind = "command" | "pipeline";

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
