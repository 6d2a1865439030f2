// A component that is written elsewhere, with what TypeScript has to know of it. Its ports are declared here, by hand or by
// `mlpipe types`, and compared with the file's when the pipeline is loaded.
import type { Component, ComponentKind } from "./component.ts";
import { fromModule } from "./local-path.ts";
import { folderOf, nameOf } from "#shared/domain/posix-path.ts";
import type { InputPorts, OutputPorts } from "./ports.ts";

interface LoadComponentFields<Inputs extends InputPorts, Outputs extends OutputPorts, Kind extends ComponentKind> {
  /** The component's kind; a command unless it is given. */
  readonly type?: Kind;
  /** The name of its nodes; the component's own, or that of its file. */
  readonly name?: string;
  readonly inputs?: Inputs;
  readonly outputs?: Outputs;
  /** `import.meta.url` of the module: the file is then relative to it, otherwise to the pipeline's own file. */
  readonly from?: string;
}

/**
 * @param reference - a component's YAML file, or a registered component: `azureml:score:1`, `azureml:score@latest`, ...
 *
 * @example
 * const score = loadComponent("score/component.yml", {
 *   from: import.meta.url,
 *   inputs: { input_data: uriFolder(), input_model: uriFolder() },
 *   outputs: { output_result: uriFolder() },
 * });
 */
export function loadComponent<
  const Inputs extends InputPorts = Record<never, never>,
  const Outputs extends OutputPorts = Record<never, never>,
  const Kind extends ComponentKind = "command",
>(reference: string, fields: LoadComponentFields<Inputs, Outputs, Kind> = {}): Component<Inputs, Outputs, Kind> {
  const { type = "command", inputs = {}, outputs = {}, from } = fields;
  const source = fromModule(reference, from);
  return {
    // The defaults are those of the type parameters.
    kind: type as Kind,
    name: fields.name ?? nameIn(source),
    inputs: inputs as Inputs,
    outputs: outputs as Outputs,
    source,
  };
}

/** `score` of `azureml:score:1`, `score/component.yml` and `score.yml`. */
function nameIn(reference: string): string {
  const asset = /^azureml:(?:.*\/components\/)?([^:@/]+)/.exec(reference)?.[1];
  if (asset !== undefined) return asset;
  const stem = nameOf(reference).replace(/\.ya?ml$/, "");
  const folder = nameOf(folderOf(reference));
  return (stem === "component" && /^[A-Za-z_]/.test(folder) ? folder : stem).replaceAll(/[^A-Za-z0-9_-]/g, "_");
}
