// A loop over items: its body runs once for each, many at a time. Each output of the body becomes an output of the loop that holds
// those of all items.
import { bodyOutputType, compileBody } from "../control/compile-body.ts";
import { bodyOf, stepNamedBy } from "../control/governed.ts";
import { type Item, type ItemPort, type LoopPlan, itemsInput } from "../control/loop-plan.ts";
import { givenNames, listItems, readItems } from "../control/read-items.ts";
import type { LiteralType } from "../data-types.ts";
import { parseBinding } from "../expressions.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import { settingsOf } from "../outputs.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { PlanInput } from "../plan.ts";
import type { OutputSettings } from "../ports.ts";
import { anything, isMapping, mapping, positiveInteger, shape } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { followBinding, inputsOf } from "../step-inputs.ts";
import type { Value } from "../value.ts";
import { controlFields, controlNode, loopOutputs } from "./control-node.ts";
import type { NodeKind } from "./node-kind.ts";
import { planInputs } from "./plan-inputs.ts";

const nodeShape = shape({
  ...controlFields,
  body: anything,
  items: anything,
  max_concurrency: positiveInteger,
  outputs: mapping,
});

export const parallelFor: NodeKind = {
  type: "parallel_for",
  readsOutputsIn: ["body", "items"],
  governsIn: ["body"],

  governs(step) {
    const name = stepNamedBy(step.node.body);
    return name === undefined ? [] : [{ name, field: fieldOf(step.path, step.node, "body"), how: "repeats" }];
  },

  loop: {
    inputsGiven(loop, body) {
      const listed = listItems(writtenItems(loop.node.items).value);
      if (!("problem" in listed)) return givenNames(listed.items);
      // They come when the run does, and may give any.
      const given = isMapping(body.node.inputs) ? Object.keys(body.node.inputs) : [];
      return [...(body.declaredInputs?.keys() ?? given)];
    },
    outputs: (body) => new Map([...body.outputs].map(([name, { literal }]) => [name, gathered(literal)] as const)),
    readBody(loop, body, output, field, { list }) {
      list.error(
        field,
        `\`${body.name}\` runs once for each item of \`${loop.name}\`; read all of them from \${{parent.jobs.${loop.name}.outputs.${output}}}`,
      );
      return undefined;
    },
  },

  async load(spec, loader, path) {
    const listed = listItems(spec.items);
    if ("problem" in listed) return spec;
    const at = fieldOf(path, spec, "items").path;
    const items = await Promise.all(
      listed.items.map(
        async ({ key, item }) => [key, await loader.inputs(item, fieldOf(at, spec.items, key).path)] as const,
      ),
    );
    const read = Array.isArray(spec.items) ? items.map(([, item]) => item) : Object.fromEntries(items);
    return keepSource(spec, { ...spec, items: keepSource(Object(spec.items), read) });
  },

  compile(step, compiler) {
    const { list } = compiler;
    const node = nodeShape(step.node, step.field, list) ?? {};
    if (stepNamedBy(step.node.body) === undefined)
      list.error(
        node.body === undefined ? step.field : fieldOf(step.path, step.node, "body"),
        `a loop needs \`body: \${{parent.jobs.<name>}}\`, the node that runs for each item`,
      );
    for (const name of Object.keys(node.outputs ?? {})) {
      const { path, assetName } = settingsOf(step, name);
      if (path !== undefined || assetName !== undefined)
        list.error(
          fieldOf(`${step.path}.outputs`, node.outputs, name),
          "what is gathered from all items has a place of its own; neither `path` nor `name` can be chosen",
        );
    }
    const body = bodyOf(step);
    if (body === undefined) return;
    const initial = inputsOf(body, compiler);
    const found = findItems(step, body, initial, compiler);
    const varying = found?.names ?? [];
    compileBody(
      step,
      body,
      varying.map((name) => {
        const isText = found?.literals.has(name) === true || initial.get(name)?.kind === "literal";
        const isOptional = body.declaredInputs?.get(name)?.isOptional === true;
        const mayBeAbsent = found?.items === undefined && isOptional && initial.get(name) === undefined;
        return { name, mayBeAbsent, ...(isText ? { literal: "string" } : {}) };
      }),
      new Map([...initial, ...(found?.values ?? [])]),
      compiler,
    );
    if (found === undefined) return;
    const loop: LoopPlan = {
      kind: "parallel_for",
      body: body.flatName,
      ...(found.items === undefined ? {} : { items: found.items }),
      ports: Object.fromEntries(varying.map((name) => [name, portOf(body, name, initial.get(name))])),
      ...(node.max_concurrency === undefined ? {} : { maxConcurrency: node.max_concurrency }),
    };
    const inputs = {
      ...planInputs(initial, body),
      ...(found.bound === undefined ? {} : { [itemsInput]: found.bound }),
    };
    const outputs = loopOutputs(body, (output) => gathered(bodyOutputType(body, output, compiler).literal));
    const { flatName: name } = step;
    compiler.add(
      controlNode({ name, kind: "parallel_for", component: { name: body.name }, inputs, outputs, loop }),
      step.field,
    );
  },
};

/** All data of one output becomes a table of places, all values of one a JSON list. */
function gathered(literal: LiteralType | undefined): OutputSettings & { readonly type: "mltable" | "uri_file" } {
  return literal === undefined ? { type: "mltable" } : { type: "uri_file", literal: "string" };
}

interface FoundItems {
  /** Absent when they are read once the node starts. */
  readonly items?: Item[];
  readonly bound?: PlanInput;
  readonly names: readonly string[];
  readonly values: ReadonlyMap<string, Value>;
  /** Those that hold a literal. */
  readonly literals: ReadonlySet<string>;
}

function findItems(
  step: Step,
  body: Step,
  initial: ReadonlyMap<string, Value | undefined>,
  compiler: PlanCompiler,
): FoundItems | undefined {
  const { list } = compiler;
  const { items } = step.node;
  const field = fieldOf(step.path, step.node, "items");
  if (items === undefined || items === null) {
    list.error(step.field, "a loop over items needs `items`", { atKey: true });
    return undefined;
  }
  const binding = parseBinding(items);
  const value = binding === undefined ? undefined : followBinding(binding, step.scope, field, compiler);
  if (value?.kind === "invalid" || value?.kind === "later") return undefined;
  if (value?.kind === "output") return boundItems(value, step, body, field, compiler);
  if (value?.kind === "data") {
    list.error(field, "expected items or a text that holds them as JSON, got data");
    return undefined;
  }
  const { value: written, problem } = writtenItems(value === undefined ? items : value.literal);
  if (problem !== undefined) {
    list.error(field, problem);
    return undefined;
  }
  const read = readItems(step, body, written, field, compiler);
  if (read === undefined) return undefined;
  const names = [...read.values.keys()];
  for (const [name, declaration] of binding === undefined ? [] : (body.declaredInputs ?? [])) {
    if (!declaration.isOptional && initial.get(name) === undefined && !names.includes(name))
      list.error(field, `the items give no \`${name}\`, which the body \`${body.name}\` needs`);
  }
  const literals = names.filter((name) => read.values.get(name)?.kind === "literal");
  return { items: read.items, names, values: read.values, literals: new Set(literals) };
}

/** Items that another node writes may give any input of the body. */
function boundItems(
  value: Extract<Value, { kind: "output" }>,
  step: Step,
  body: Step,
  field: Field,
  compiler: PlanCompiler,
): FoundItems | undefined {
  if (value.type !== "uri_file") {
    compiler.list.error(field, "expected an output of type string, or a file, that holds the items as JSON");
    return undefined;
  }
  const { node, output } = value;
  return {
    bound: { kind: "output", node, output, type: "uri_file", mode: "ro_mount" },
    names: parallelFor.loop?.inputsGiven(step, body) ?? [],
    values: new Map(),
    literals: new Set(),
  };
}

/** Items may be written as JSON. */
function writtenItems(items: unknown): { value?: unknown; problem?: string } {
  if (typeof items !== "string") return { value: items };
  try {
    return { value: JSON.parse(items) as unknown };
  } catch (error) {
    return {
      problem: `expected a list of mappings as JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function portOf(body: Step, name: string, initial: Value | undefined): ItemPort {
  const declared = body.declaredInputs?.get(name);
  const isOptional = initial !== undefined || declared?.isOptional === true;
  if (declared?.kind !== "literal") {
    // Without a declaration a literal is the text it is written as.
    return { isOptional, ...(declared === undefined && initial?.kind === "literal" ? { literal: "string" } : {}) };
  }
  const { type: literal, min, max, enum: allowed } = declared;
  return {
    literal,
    isOptional,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(allowed === undefined ? {} : { enum: [...allowed] }),
  };
}
