// The nodes of one pipeline while its body runs. The types of what goes in and comes out are kept by the signatures in the files
// of the kinds; what they cannot see is told here.
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Component } from "./component.ts";
import type { OutputSettings } from "./fields.ts";
import type { OutputPorts, PortType } from "./ports.ts";
import { createReference, isReference, textOf } from "./references.ts";
import { writeEnvironment, writeFields, writeInput } from "./write-fields.ts";

export type Nodes = ReturnType<typeof createNodes>;

interface Job {
  readonly fields: Mapping;
  readonly inputs: Mapping;
  /** What is said of an output here, and the pipeline output it becomes. */
  readonly outputs: Map<string, OutputSettings & { readonly promotedTo?: string }>;
}

interface JobParts {
  /** What it runs; control flow runs nothing itself. */
  readonly component?: Component;
  readonly given?: Mapping;
  /** What else is said of it, its `outputs` among it. */
  readonly fields: Mapping;
}

const nodeName = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** Fields that stand below inputs and outputs. */
const lower = [
  "search_space",
  "objective",
  "sampling_algorithm",
  "early_termination",
  "resources",
  "limits",
  "settings",
];
const marked = Symbol.for("mlpipe.node");

/** What a node is to its body at run time. */
interface Handle {
  readonly outputs: Mapping;
  readonly [marked]: { readonly scope: object; readonly name: string };
}

/** @param from - the URL of the module that holds the pipeline, if its paths are relative to it */
export function createNodes(pipeline: string, from: string | undefined) {
  /** Its identity is what tells this pipeline's references from others'. */
  const scope = {};
  const jobs = new Map<string, Job>();
  const components = new Map<string, Component>();
  const settings: Record<string, string> = {};
  const makers = new WeakMap<object, { readonly node: string; readonly output: string; readonly type: PortType }>();

  /** Adds `name` to `jobs:`. @param head its first fields */
  function put(name: string, head: Mapping, { component, given = {}, fields }: JobParts): void {
    if (!nodeName.test(name))
      throw invalid(`\`${name}\` is no allowed node name: letters, digits, \`_\` and \`-\`, not a digit first`);
    if (jobs.has(name))
      throw invalid(`two nodes are called \`${name}\`; give one of them another: { name: "${name}_2" }`);
    const { name: _, outputs, environment, ...rest } = fields;
    jobs.set(name, {
      fields: {
        ...head,
        ...writeFields(rest, scope, name),
        // Of the type that every kind's signature has for it.
        ...(environment === undefined ? {} : { environment: writeEnvironment(environment as string, from) }),
      },
      inputs: component === undefined ? {} : inputsOf(component, given, `${name}.inputs`),
      outputs: new Map(
        Object.entries(isMapping(outputs) ? outputs : {}).map(([output, said]) => [
          output,
          isMapping(said) ? said : {},
        ]),
      ),
    });
    if (component !== undefined) components.set(name, component);
  }

  /** Values for inputs of `component` as YAML writes them. @param usedBy what an error names */
  function inputsOf(component: Component, given: Mapping, usedBy: string): Mapping {
    const inputs: Record<string, unknown> = {};
    for (const [input, value] of Object.entries(given)) {
      if (!Object.hasOwn(component.inputs, input)) throw invalid(`\`${component.name}\` has no input \`${input}\``);
      if (value !== undefined) inputs[input] = writeInput(value, scope, from, `${usedBy}.${input}`);
    }
    return inputs;
  }

  /**
   * The node `name` with `outputs`.
   *
   * @param maker - the job that says what becomes of them, where it is another
   */
  function handle(name: string, outputs: OutputPorts, maker = name): Handle {
    const references = Object.entries(outputs).map(([output, { type }]) => {
      const reference = createReference(`\${{parent.jobs.${maker}.outputs.${output}}}`, scope);
      makers.set(reference, { node: maker, output, type });
      return [output, reference] as const;
    });
    return { outputs: Object.fromEntries(references), [marked]: { scope, name } };
  }

  /** The node that `value` is, as YAML names it. @param usedBy what an error names */
  function nodeText(value: unknown, usedBy: string): string {
    return `\${{parent.jobs.${nodeNameOf(value, usedBy)}}}`;
  }

  function nodeNameOf(value: unknown, usedBy: string): string {
    if (!isHandle(value)) throw invalid(`${usedBy} is no node`);
    const { name, scope: own } = value[marked];
    if (own !== scope) throw invalid(`${usedBy}: the node \`${name}\` belongs to another pipeline`);
    return name;
  }

  /** Makes a node's output the pipeline's output `name`. Returns the type it has. */
  function promote(name: string, reference: unknown): PortType {
    if (!isReference(reference)) throw invalid(`the output \`${name}\` is no output of a node`);
    textOf(reference, scope, `output ${name}`);
    const maker = makers.get(reference);
    if (maker === undefined) throw invalid(`the output \`${name}\` is no output of a node`);
    const outputs = jobs.get(maker.node)?.outputs;
    const said = outputs?.get(maker.output) ?? {};
    if (said.promotedTo !== undefined)
      throw invalid(
        `\`${maker.node}.outputs.${maker.output}\` is the output \`${said.promotedTo}\` already, and cannot be \`${name}\` too`,
      );
    outputs?.set(maker.output, { ...said, promotedTo: name });
    return maker.type;
  }

  /** Names a node in the pipeline's `settings:`. */
  function settle(key: "on_init" | "on_finalize", node: unknown): void {
    if (settings[key] !== undefined) throw invalid(`\`${key}\` is \`${settings[key]}\` already`);
    settings[key] = nodeNameOf(node, key);
  }

  function invalid(message: string): MlpipeError {
    return new MlpipeError("InvalidRequest", `pipeline ${pipeline}: ${message}`);
  }

  return {
    scope,
    components,
    settings,
    put,
    inputsOf,
    handle,
    nodeText,
    promote,
    settle,
    /** The `jobs:` mapping. */
    jobs: () => Object.fromEntries([...jobs].map(([name, job]) => [name, write(job)])),
  };
}

function write({ fields, inputs, outputs }: Job): Mapping {
  const written = [...outputs].map(([name, { promotedTo, ...said }]) => {
    const binding = promotedTo === undefined ? {} : { path: `\${{parent.outputs.${promotedTo}}}` };
    const isBindingAlone = Object.keys(said).length === 0 && promotedTo !== undefined;
    return [name, isBindingAlone ? binding.path : { ...said, ...binding }] as const;
  });
  const [above, below] = [false, true].map((isLower) =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => lower.includes(key) === isLower)),
  );
  return {
    ...above,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(written.length === 0 ? {} : { outputs: Object.fromEntries(written) }),
    ...below,
  };
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && marked in value;
}
