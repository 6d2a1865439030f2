// The nodes of one pipeline while its body runs.
import type { DataType } from "#shared/domain/data-types.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Component, ComponentKind } from "./component.ts";
import type { NodeFields, OutputSettings } from "./fields.ts";
import type { InputPorts, OutputPorts } from "./ports.ts";
import { createReference, isReference, textOf } from "./references.ts";
import { writeEnvironment, writeFields, writeInput } from "./write-fields.ts";

interface Node {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What is said of an output here, and the pipeline output it becomes. */
  readonly outputs: Map<string, OutputSettings & { readonly promotedTo?: string }>;
}

const nodeName = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** @param from - the URL of the module that holds the pipeline, if its paths are relative to it */
export function createNodes(pipeline: string, from: string | undefined) {
  /** Its identity is what tells this pipeline's references from others'. */
  const scope = {};
  const nodes = new Map<string, Node>();
  const components = new Map<string, Component>();
  const makers = new WeakMap<object, { readonly node: string; readonly output: string }>();

  function add<Outputs extends OutputPorts>(
    component: Component<InputPorts, Outputs>,
    given: Readonly<Record<string, unknown>>,
    settings: NodeFields<ComponentKind, Outputs, never> = {},
  ): { readonly outputs: Readonly<Record<string, unknown>> } {
    const {
      name = component.name,
      outputs = {},
      environment,
      ...rest
    }: NodeFields<"command", Outputs, never> = settings;
    if (!nodeName.test(name))
      throw invalid(`\`${name}\` is no allowed node name: letters, digits, \`_\` and \`-\`, not a digit first`);
    if (nodes.has(name))
      throw invalid(`two nodes are called \`${name}\`; give one another name: node(..., { name: "${name}_2" })`);
    const inputs: Record<string, unknown> = {};
    for (const [input, value] of Object.entries(given)) {
      if (!Object.hasOwn(component.inputs, input)) throw invalid(`\`${component.name}\` has no input \`${input}\``);
      if (value !== undefined) inputs[input] = writeInput(value, scope, from, `${name}.inputs.${input}`);
    }
    nodes.set(name, {
      fields: {
        ...writeFields(rest, scope, name),
        ...(environment === undefined ? {} : { environment: writeEnvironment(environment, from) }),
      },
      inputs,
      outputs: new Map(
        Object.entries<OutputSettings | undefined>(outputs).map(([output, said]) => [output, said ?? {}]),
      ),
    });
    components.set(name, component);
    return {
      outputs: Object.fromEntries(Object.keys(component.outputs).map((output) => [output, referTo(name, output)])),
    };
  }

  function referTo(node: string, output: string): unknown {
    const reference = createReference(`\${{parent.jobs.${node}.outputs.${output}}}`, scope);
    makers.set(reference, { node, output });
    return reference;
  }

  /** Makes a node's output the pipeline's output `name`. Returns the type it has. */
  function promote(name: string, reference: unknown): DataType {
    if (!isReference(reference)) throw invalid(`the output \`${name}\` is no output of a node`);
    textOf(reference, scope, `output ${name}`);
    const maker = makers.get(reference);
    const port = maker === undefined ? undefined : components.get(maker.node)?.outputs[maker.output];
    if (maker === undefined || port === undefined) throw invalid(`the output \`${name}\` is no output of a node`);
    const outputs = nodes.get(maker.node)?.outputs;
    const said = outputs?.get(maker.output) ?? {};
    if (said.promotedTo !== undefined)
      throw invalid(
        `\`${maker.node}.outputs.${maker.output}\` is the output \`${said.promotedTo}\` already, and cannot be \`${name}\` too`,
      );
    outputs?.set(maker.output, { ...said, promotedTo: name });
    return port.type;
  }

  function invalid(message: string): MlpipeError {
    return new MlpipeError("InvalidRequest", `pipeline ${pipeline}: ${message}`);
  }

  return {
    scope,
    components,
    add,
    promote,
    /** The `jobs:` mapping. */
    jobs: () => Object.fromEntries([...nodes].map(([name, node]) => [name, jobOf(node, components.get(name))])),
  };
}

function jobOf({ fields, inputs, outputs }: Node, component: Component | undefined): Record<string, unknown> {
  const { settings, resources, limits, ...rest } = fields;
  const written = [...outputs].map(([name, { promotedTo, ...said }]) => {
    const binding = promotedTo === undefined ? {} : { path: `\${{parent.outputs.${promotedTo}}}` };
    const isBindingAlone = Object.keys(said).length === 0 && promotedTo !== undefined;
    return [name, isBindingAlone ? binding.path : { ...said, ...binding }] as const;
  });
  return {
    type: component?.kind,
    component: component?.source,
    ...rest,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(written.length === 0 ? {} : { outputs: Object.fromEntries(written) }),
    ...(resources === undefined ? {} : { resources }),
    ...(limits === undefined ? {} : { limits }),
    ...(settings === undefined ? {} : { settings }),
  };
}
