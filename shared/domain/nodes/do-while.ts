// A loop: its body runs, says whether to go on, and reads in the next round what it wrote in the one before. Those outside read
// the outputs of the last round from the body.
import { bodyOutputType, compileBody } from "../control/compile-body.ts";
import { bodyOf, stepNamedBy } from "../control/governed.ts";
import { type LoopPlan, maxIterations } from "../control/loop-plan.ts";
import { parseBinding } from "../expressions.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import { isReadAs } from "../literals.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import { anything, describe, isMapping, mapping, positiveInteger, shape } from "../shape.ts";
import { inputsOf } from "../step-inputs.ts";
import { planInputs } from "./plan-inputs.ts";
import { controlFields, controlNode, loopOutputs } from "./control-node.ts";
import type { NodeKind } from "./node-kind.ts";

const nodeShape = shape({
  ...controlFields,
  body: anything,
  condition: anything,
  mapping,
  limits: shape({ max_iteration_count: positiveInteger }),
});

export const doWhile: NodeKind = {
  type: "do_while",
  readsOutputsIn: ["body", "condition", "mapping"],
  governsIn: ["body", "condition", "mapping"],

  governs(step) {
    const name = stepNamedBy(step.node.body);
    return name === undefined ? [] : [{ name, field: fieldOf(step.path, step.node, "body"), how: "repeats" }];
  },

  loop: {
    inputsGiven: () => [],
    outputs: () => new Map(),
    readBody: (loop, body, output, _field, compiler) => ({
      step: loop,
      output,
      settings: bodyOutputType(body, output, compiler),
    }),
  },

  load: async (spec) => spec,

  compile(step, compiler) {
    const { list } = compiler;
    const node = nodeShape(step.node, step.field, list) ?? {};
    const limit = readLimit(step, node.limits?.max_iteration_count, compiler);
    if (stepNamedBy(step.node.body) === undefined)
      list.error(
        node.body === undefined ? step.field : fieldOf(step.path, step.node, "body"),
        `a loop needs \`body: \${{parent.jobs.<name>}}\`, the node that it repeats`,
      );
    const body = bodyOf(step);
    if (body === undefined) return;
    const initial = inputsOf(body, compiler);
    const mapped = readMapping(step, body, [...initial.keys()], compiler);
    const condition = readCondition(step, body, compiler);
    const varying = Object.entries(mapped).flatMap(([output, names]) =>
      names.map((name) => {
        const { literal } = bodyOutputType(body, output, compiler);
        return { name, mayBeAbsent: initial.get(name) === undefined, ...(literal === undefined ? {} : { literal }) };
      }),
    );
    compileBody(step, body, varying, initial, compiler);
    const loop: LoopPlan = {
      kind: "do_while",
      body: body.flatName,
      mapping: mapped,
      ...(typeof condition === "string" ? { condition } : {}),
      maxIterations: limit,
    };
    const { flatName: name } = step;
    const inputs = planInputs(initial, body);
    const outputs = loopOutputs(body, (output) => bodyOutputType(body, output, compiler));
    compiler.add(
      controlNode({ name, kind: "do_while", component: { name: body.name }, inputs, outputs, loop }),
      step.field,
    );
  },
};

function readLimit(step: Step, limit: number | undefined, { list }: PlanCompiler): number {
  const { limits } = step.node;
  const isGiven = isMapping(limits) && limits.max_iteration_count !== undefined;
  if (limit !== undefined && limit <= maxIterations) return limit;
  if (limit !== undefined)
    list.error(
      fieldOf(`${step.path}.limits`, limits, "max_iteration_count"),
      `a loop runs ${maxIterations} times at most`,
    );
  else if (!isGiven) list.error(step.field, "a loop needs `limits.max_iteration_count`", { atKey: true });
  return 1;
}

/** Output of the body -> inputs of it. */
function readMapping(
  step: Step,
  body: Step,
  inputs: readonly string[],
  compiler: PlanCompiler,
): Record<string, string[]> {
  const written = isMapping(step.node.mapping) ? step.node.mapping : {};
  const path = fieldOf(step.path, step.node, "mapping").path;
  const found: Record<string, string[]> = {};
  const taken = new Map<string, string>();
  for (const [key, value] of Object.entries(written)) {
    const field = fieldOf(path, written, key);
    const output = portOf(key, "outputs", body);
    if (output === undefined || !body.outputs.has(output)) {
      tellUnknown(key, output, "output", body, body.outputs.keys(), { ...field, key }, compiler);
      continue;
    }
    const names = (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((item, index) => {
      const place = Array.isArray(value) ? fieldOf(field.path, value, index) : field;
      const name = portOf(item, "inputs", body);
      if (name === undefined || !inputs.includes(name)) {
        tellUnknown(item, name, "input", body, inputs, place, compiler);
        return [];
      }
      const other = taken.get(name);
      if (other !== undefined)
        compiler.list.error(place, `the input \`${name}\` already reads the output \`${other}\``);
      else if (isFit(body, output, name, place, compiler)) taken.set(name, output);
      return [name];
    });
    found[output] = names;
  }
  return found;
}

function isFit(body: Step, output: string, input: string, field: Field, compiler: PlanCompiler): boolean {
  const declared = body.declaredInputs?.get(input);
  const { literal } = bodyOutputType(body, output, compiler);
  if (declared?.kind !== "literal" || (literal !== undefined && isReadAs(literal, declared.type))) return true;
  const what = literal === undefined ? "data" : `a ${literal}`;
  compiler.list.error(
    field,
    `the input \`${input}\` wants a ${declared.type}, and the output \`${output}\` is ${what}`,
  );
  return false;
}

/** The name of a port of the body, written alone or as a binding. */
function portOf(written: unknown, side: "inputs" | "outputs", body: Step): string | undefined {
  const binding = parseBinding(written);
  if (binding === undefined) return typeof written === "string" ? written : undefined;
  if (side === "outputs" && binding.kind === "nodeOutput" && binding.node === body.name) return binding.output;
  return side === "inputs" && binding.kind === "nodeInput" && binding.node === body.name ? binding.input : undefined;
}

function tellUnknown(
  written: unknown,
  name: string | undefined,
  what: "input" | "output",
  body: Step,
  among: Iterable<string>,
  field: Field,
  { list }: PlanCompiler,
): void {
  if (name === undefined)
    list.error(field, `expected an ${what} of the body \`${body.name}\`, got ${describe(written)}`);
  else list.error(field, `the body \`${body.name}\` has no ${what} \`${name}\``, { nearest: { name, among } });
}

/** The output of the body that says whether to go on, or true for a loop that only its limit ends. */
function readCondition(step: Step, body: Step, compiler: PlanCompiler): string | true | undefined {
  const { list } = compiler;
  const written = step.node.condition;
  const field = fieldOf(step.path, step.node, "condition");
  if (written === true || written === "true") return true;
  if (written === undefined || written === null) {
    list.error(step.field, "a loop needs `condition`: the output of its body that says whether to go on, or true", {
      atKey: true,
    });
    return undefined;
  }
  if (written === false || written === "false") {
    list.error(field, "a loop whose condition is false never repeats; use its body alone");
    return undefined;
  }
  const output = portOf(written, "outputs", body);
  if (output === undefined || !body.outputs.has(output)) {
    tellUnknown(written, output, "output", body, body.outputs.keys(), field, compiler);
    return undefined;
  }
  const { literal } = bodyOutputType(body, output, compiler);
  if (literal === "boolean" || literal === "string") return output;
  list.error(
    field,
    `expected an output of type boolean, and \`${output}\` is ${literal === undefined ? "data" : `a ${literal}`}`,
  );
  return undefined;
}
