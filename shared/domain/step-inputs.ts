// The values of a step's inputs: every binding followed, through sub-pipelines, to a literal, data or another step's output.
import { conform, mountableType, readData } from "./conform-value.ts";
import { loopOf } from "./control/governed.ts";
import { DataType, InputMode } from "./data-types.ts";
import { type Binding, meantBinding, parseBinding } from "./expressions.ts";
import { type Field, fieldOf } from "./issue-list.ts";
import { nearestName } from "./nearest-name.ts";
import { sourceOf, typeOf } from "./outputs.ts";
import type { PlanCompiler, Scope, Step } from "./pipeline-scope.ts";
import { readDataType } from "./ports.ts";
import { type Mapping, describe, isLiteral, isMapping, oneOf } from "./shape.ts";
import { type Value, invalid } from "./value.ts";

const inputMode = oneOf(InputMode.options);

/** The value of a step's input; undefined when it has none, which for a required one has been told. */
function inputOf(step: Step, name: string, compiler: PlanCompiler): Value | undefined {
  const known = step.values.get(name);
  if (known === "pending") {
    compiler.list.error(inputField(step, name), `\`${step.name}.inputs.${name}\` is defined by itself`);
    return invalid;
  }
  if (known !== undefined || step.values.has(name)) return known;
  step.values.set(name, "pending");
  const value = resolveInput(step, name, compiler);
  step.values.set(name, value);
  return value;
}

function resolveInput(step: Step, name: string, compiler: PlanCompiler): Value | undefined {
  const declaration = step.declaredInputs?.get(name);
  const field = inputField(step, name);
  const given = isMapping(step.node.inputs)
    ? readValue(step.node.inputs, name, step.scope, field, compiler)
    : undefined;
  const value = given === undefined ? undefined : conform(given, declaration, field, compiler);
  if (value !== undefined) return value;
  if (declaration?.kind === "literal" && declaration.broken !== undefined) return invalid;
  if (declaration?.kind === "literal" && declaration.default !== undefined)
    return { kind: "literal", literal: declaration.default };
  if (declaration !== undefined && !declaration.isOptional && !givenElsewhere(step).includes(name)) {
    const type = declaration.kind === "data" ? declaration.type : `a ${declaration.type}`;
    compiler.list.error(
      isGiven(step, name) ? field : step.field,
      `the required input \`${name}\` (${type}) has no value${misspelt(step, name)}`,
      { atKey: !isGiven(step, name) },
    );
    return invalid;
  }
  return undefined;
}

/** Every input of a step by name: the declared ones, or without declarations those that are given. */
export function inputsOf(step: Step, compiler: PlanCompiler): ReadonlyMap<string, Value | undefined> {
  const given = isMapping(step.node.inputs) ? step.node.inputs : {};
  const declared = step.declaredInputs;
  for (const name of Object.keys(given)) {
    if (declared === undefined || declared.has(name) || step.isUnknown) continue;
    const extra = { atKey: true, nearest: { name, among: declared.keys() } };
    compiler.list.warn(inputField(step, name), `the component has no input \`${name}\`; it has no effect`, extra);
    readValue(given, name, step.scope, inputField(step, name), compiler);
  }
  const names = [...(declared?.keys() ?? Object.keys(given))];
  return new Map(names.map((name) => [name, inputOf(step, name, compiler)]));
}

function givenElsewhere(step: Step): readonly string[] {
  const loop = loopOf(step);
  return [...(step.kind.inputsGivenElsewhere?.(step.node) ?? []), ...(loop?.kind.loop?.inputsGiven(loop, step) ?? [])];
}

function isGiven(step: Step, name: string): boolean {
  return isMapping(step.node.inputs) && Object.hasOwn(step.node.inputs, name);
}

/** An input that is given but not declared is likely the missing one, misspelt. */
function misspelt(step: Step, name: string): string {
  const given = Object.keys(isMapping(step.node.inputs) ? step.node.inputs : {});
  const meant = nearestName(
    name,
    given.filter((other) => step.declaredInputs?.has(other) === false),
  );
  return meant === undefined ? "" : `; \`${meant}\` is given, which is no input of the component`;
}

/** Where the input is written, or the node when it is not. */
function inputField(step: Step, name: string): Field {
  return isGiven(step, name)
    ? fieldOf(`${step.path}.inputs`, step.node.inputs, name)
    : { ...step.field, path: `${step.path}.inputs.${name}` };
}

/** The value written in `holder[key]`, every binding followed; undefined when there is none. */
export function readValue(
  holder: Mapping,
  key: string,
  scope: Scope,
  field: Field,
  compiler: PlanCompiler,
): Value | undefined {
  const written = holder[key];
  if (written === null || written === undefined) return undefined;
  const binding = parseBinding(written, { allowShort: true });
  if (binding !== undefined) return followBinding(binding, scope, field, compiler);
  const meant = meantBinding(written);
  if (meant !== undefined)
    compiler.list.warn(field, `${describe(written)} is handed over as it is; it is no binding`, { suggestion: meant });
  if (isLiteral(written)) return { kind: "literal", literal: written };
  if (isMapping(written)) return readReference(written, scope, field, compiler);
  compiler.list.error(field, `expected a literal, a binding or \`{type, path}\`, got ${describe(written)}`);
  return invalid;
}

/** `{path, type, mode}`, where `path` may be a binding itself. */
function readReference(written: Mapping, scope: Scope, field: Field, compiler: PlanCompiler): Value | undefined {
  if (written.path === undefined && isLiteral(written.default)) return { kind: "literal", literal: written.default };
  if (typeof written.path !== "string") {
    compiler.list.error(field, `expected a \`path\`, got ${describe(written.path)}`);
    return invalid;
  }
  const mode =
    written.mode === undefined
      ? undefined
      : inputMode(written.mode, fieldOf(field.path, written, "mode"), compiler.list);
  const binding = parseBinding(written.path, { allowShort: true });
  if (binding !== undefined) {
    const value = followBinding(binding, scope, field, compiler);
    if (value?.kind !== "output" && value?.kind !== "data") return value;
    const said = typeof written.type === "string" ? readDataType(written.type) : undefined;
    return {
      ...value,
      ...(said === undefined ? {} : { type: mountableType(value.type, said) }),
      ...(mode === undefined ? {} : { mode }),
    };
  }
  const type =
    written.type === undefined || written.type === null
      ? undefined
      : readDataType(typeof written.type === "string" ? written.type : "");
  if (type === undefined && written.type !== undefined && written.type !== null) {
    const nearest = { name: typeof written.type === "string" ? written.type : "", among: DataType.options };
    compiler.list.error(fieldOf(field.path, written, "type"), `${describe(written.type)} is no data type`, { nearest });
  }
  return readData(
    written.path,
    fieldOf(field.path, written, "path"),
    { ...(type === undefined ? {} : { type }), ...(mode === undefined ? {} : { mode }) },
    compiler,
  );
}

export function followBinding(binding: Binding, scope: Scope, field: Field, compiler: PlanCompiler): Value | undefined {
  const { list } = compiler;
  switch (binding.kind) {
    case "malformed":
      list.error(field, binding.reason);
      return invalid;
    case "pipelineOutput":
      list.error(field, "an input cannot read an output of the pipeline; read the node's that makes it");
      return invalid;
    case "node":
      list.error(field, `a node has no value of its own; write \${{parent.jobs.${binding.node}.outputs.<name>}}`);
      return invalid;
    case "pipelineInput":
      return pipelineInput(binding.name, scope, field, compiler);
    case "nodeInput": {
      const step = stepNamed(binding.node, scope, field, compiler);
      if (step === undefined) return invalid;
      const names = [
        ...(step.declaredInputs?.keys() ?? []),
        ...Object.keys(isMapping(step.node.inputs) ? step.node.inputs : {}),
      ];
      if (!names.includes(binding.input) && !step.isUnknown) {
        list.error(field, `node \`${step.name}\` has no input \`${binding.input}\``, {
          nearest: { name: binding.input, among: names },
        });
        return invalid;
      }
      return inputOf(step, binding.input, compiler);
    }
    case "nodeOutput": {
      const step = stepNamed(binding.node, scope, field, compiler);
      if (step === undefined || step.isUnknown) return invalid;
      const source = sourceOf(step, binding.output, field, compiler);
      return source === undefined
        ? invalid
        : { kind: "output", node: source.step.flatName, output: source.output, ...typeOf(source) };
    }
  }
}

function stepNamed(name: string, scope: Scope, field: Field, { list }: PlanCompiler): Step | undefined {
  const step = scope.steps.get(name);
  if (step === undefined && !scope.broken.has(name)) {
    list.error(field, `there is no node \`${name}\``, { nearest: { name, among: scope.steps.keys() } });
  }
  return step;
}

function pipelineInput(name: string, scope: Scope, field: Field, compiler: PlanCompiler): Value | undefined {
  const declared = scope.outer === undefined ? scope.inputs.keys() : (scope.outer.declaredInputs?.keys() ?? []);
  const names = [...declared];
  if (!names.includes(name)) {
    compiler.list.error(field, `the pipeline has no input \`${name}\``, { nearest: { name, among: names } });
    return invalid;
  }
  return scope.outer === undefined ? scope.inputs.get(name) : inputOf(scope.outer, name, compiler);
}
