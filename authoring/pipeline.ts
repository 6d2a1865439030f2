// A pipeline written in TypeScript. The body runs once, where the pipeline is defined, and each `node` adds one; what comes
// of it is the same document that YAML is read into.
import type { PipelineDocument } from "#shared/domain/pipeline-document.ts";
import type { Component } from "./component.ts";
import { type AddDoWhile, addDoWhile } from "./do-while.ts";
import type { OutputSettings, PipelineSettings } from "./fields.ts";
import { type AddIfElse, addIfElse } from "./if-else.ts";
import { type AddNode, addNode } from "./node.ts";
import { createNodes } from "./nodes.ts";
import { type AddParallelFor, addParallelFor } from "./parallel-for.ts";
import type { InputPorts, OutputPort, OutputPorts, PortType } from "./ports.ts";
import { type Node, type NodeOutput, type ReferencesTo, createReference } from "./references.ts";
import { type AddSweep, addSweep } from "./sweep.ts";
import { writeOutput } from "./write-fields.ts";

const marked = Symbol.for("mlpipe.pipeline");

/** What a body is given. */
export interface PipelineBody<Inputs extends InputPorts, Scope> {
  readonly inputs: ReferencesTo<Inputs, Scope>;
  readonly node: AddNode<Scope>;
  readonly sweep: AddSweep<Scope>;
  readonly ifElse: AddIfElse<Scope>;
  readonly doWhile: AddDoWhile<Scope>;
  readonly parallelFor: AddParallelFor<Scope>;
  /** Runs a node before all others: it reads nobody's outputs. */
  readonly onInit: (node: Node<unknown, Scope>) => void;
  /** Runs a node after all others have ended, whatever became of them: it reads nobody's outputs, and nobody its. */
  readonly onFinalize: (node: Node<unknown, Scope>) => void;
  /** An output of the pipeline with more said of it than that a node makes it. */
  readonly promote: <Type extends PortType>(
    output: NodeOutput<Type, Scope>,
    settings: OutputSettings,
  ) => Promoted<Type, Scope>;
}

interface Promoted<Type extends PortType, Scope> {
  readonly output: NodeOutput<Type, Scope>;
  readonly settings: OutputSettings;
}

export interface PipelineFields<Inputs extends InputPorts> {
  /** Of the pipeline; runs are listed under it. */
  readonly name: string;
  readonly display_name?: string;
  readonly experiment_name?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly inputs?: Inputs;
  readonly settings?: PipelineSettings;
  /** `import.meta.url` of the module: paths of data are then relative to it, otherwise to the file that is run. */
  readonly from?: string;
}

/** A pipeline that can be run, exported, or be a node of another. */
export interface Pipeline<
  Inputs extends InputPorts = InputPorts,
  Outputs extends OutputPorts = OutputPorts,
> extends Component<Inputs, Outputs, "pipeline"> {
  readonly source: PipelineDocument;
  /** Its nodes' components by node name. */
  readonly components: ReadonlyMap<string, Component>;
  readonly [marked]: true;
}

/**
 * @param body returns the outputs of the pipeline, each made by one of its nodes
 * @throws MlpipeError `InvalidRequest` when two nodes have one name, or a reference is another pipeline's
 *
 * @example
 * export default pipeline({ name: "digits", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
 *   const prepared = node(prep, { input_data: inputs.images });
 *   const trained = node(train, { input_data: prepared.outputs.table, epochs: 5 });
 *   return { model: trained.outputs.model };
 * });
 */
export function pipeline<
  Outputs extends Readonly<Record<string, PortType>>,
  const Inputs extends InputPorts = Record<never, never>,
>(
  fields: PipelineFields<Inputs>,
  body: <Scope>(pipeline: PipelineBody<Inputs, Scope>) => {
    readonly [Name in keyof Outputs]: NodeOutput<Outputs[Name], Scope> | Promoted<Outputs[Name], Scope>;
  },
): Pipeline<Inputs, { readonly [Name in keyof Outputs]: OutputPort<Outputs[Name]> }> {
  const { name, inputs, settings, from, ...rest } = fields;
  const nodes = createNodes(name, from);
  const references = Object.keys(inputs ?? {}).map((input) => [
    input,
    createReference(`\${{parent.inputs.${input}}}`, nodes.scope),
  ]);
  // References are text; that they are of the types the body sees is what this file and references.ts keep.
  const returned = body<unknown>({
    inputs: Object.fromEntries(references),
    node: addNode.bind(undefined, nodes),
    sweep: addSweep.bind(undefined, nodes),
    ifElse: addIfElse.bind(undefined, nodes),
    doWhile: addDoWhile.bind(undefined, nodes),
    parallelFor: addParallelFor.bind(undefined, nodes),
    onInit: (node: unknown) => nodes.settle("on_init", node),
    onFinalize: (node: unknown) => nodes.settle("on_finalize", node),
    promote: (output: unknown, said: OutputSettings) => ({ output, settings: said }),
  } as unknown as PipelineBody<Inputs, unknown>);

  const outputs: Record<string, { readonly type: PortType } & OutputSettings> = {};
  for (const [output, value] of Object.entries<object>(returned)) {
    const { output: reference, settings: said } = isPromoted(value) ? value : { output: value, settings: {} };
    outputs[output] = writeOutput({ type: nodes.promote(output, reference), ...said });
  }
  const allSettings =
    settings === undefined && Object.keys(nodes.settings).length === 0 ? undefined : { ...settings, ...nodes.settings };
  return {
    kind: "pipeline",
    name,
    // Without declarations both are the empty mapping that their types default to.
    inputs: (inputs ?? {}) as Inputs,
    outputs: outputs as { readonly [Name in keyof Outputs]: OutputPort<Outputs[Name]> },
    components: nodes.components,
    source: {
      type: "pipeline",
      name,
      ...rest,
      ...(allSettings === undefined ? {} : { settings: allSettings }),
      ...(inputs === undefined ? {} : { inputs }),
      ...(Object.keys(outputs).length === 0 ? {} : { outputs }),
      jobs: nodes.jobs(),
    },
    [marked]: true,
  };
}

/** Whether a module's export is a pipeline, of whatever copy of this file. */
export function isPipeline(value: unknown): value is Pipeline {
  return typeof value === "object" && value !== null && marked in value;
}

function isPromoted(value: object): value is Promoted<PortType, unknown> {
  return "output" in value && "settings" in value;
}
