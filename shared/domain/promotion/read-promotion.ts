// `settings.mlpipe.promote` as a node of the plan: it runs when all others have, decides on the model, and has no job.
import { parseBinding } from "../expressions.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import { controlNode } from "../nodes/control-node.ts";
import { promotionRule } from "../nodes/mlpipe-fields.ts";
import type { PlanCompiler, Scope } from "../pipeline-scope.ts";
import type { PlanInput, PlanNode } from "../plan.ts";
import { describe, isMapping } from "../shape.ts";
import { sourceOf, typeOf } from "../outputs.ts";
import { followBinding } from "../step-inputs.ts";
import type { Value } from "../value.ts";
import { formerStage, type PromotionRule } from "./promotion-plan.ts";

const defaultStage = "production";
/** A week. */
const defaultApprovalSeconds = 604_800;
const mostRules = 20;
/** MLflow's own limit. */
const longestMetric = 250;
const modelName = /^[a-zA-Z0-9][\w.-]{0,254}$/;
const stageName = /^[a-zA-Z][\w.-]{0,63}$/;

type ModelOutput = Extract<PlanInput, { kind: "output" }>;

interface Written {
  readonly model?: string;
  readonly name?: string;
  readonly stage?: string;
  readonly rules?: readonly unknown[];
  readonly approval?: { readonly timeout?: number };
}

/**
 * @param read what stands there, as far as it has the right types
 * @param nodes the plan's nodes so far, by name
 * @param runSeconds how long the run may take
 * @returns the node; undefined after having told what is wrong with it
 */
export function readPromotion(
  read: Written,
  scope: Scope,
  nodes: ReadonlyMap<string, PlanNode>,
  compiler: PlanCompiler,
  runSeconds: number | undefined,
): PlanNode | undefined {
  const { list } = compiler;
  const path = "settings.mlpipe.promote";
  const written = memberOf(memberOf(scope.pipeline.settings, "mlpipe"), "promote");
  const at = (key: string) => fieldOf(path, written, key);
  const missing = (what: string) =>
    list.error(fieldOf("settings.mlpipe", memberOf(scope.pipeline.settings, "mlpipe"), "promote"), what, {
      atKey: true,
    });

  const { name: model, stage = defaultStage } = read;
  if (model === undefined) missing("a promotion needs a `name`: that of the registered model");
  else if (!modelName.test(model))
    list.error(at("name"), "a model's name is of letters, digits, `-`, `_` and `.`, at most 255, the first no sign");
  if (!stageName.test(stage)) list.error(at("stage"), "a stage is a letter, then letters, digits, `-`, `_` and `.`");
  if (stage === formerStage) list.error(at("stage"), `\`${formerStage}\` is what a former champion becomes`);
  if (read.model === undefined) missing("a promotion needs a `model`, such as ${{parent.jobs.train.outputs.model}}");
  const output = read.model === undefined ? undefined : readModel(read.model, scope, at("model"), compiler);

  const rules = readRules(written, output, nodes, compiler);
  const approval = isMapping(memberOf(written, "approval"))
    ? { timeoutSeconds: read.approval?.timeout ?? defaultApprovalSeconds }
    : undefined;
  if (memberOf(written, "approval") === null)
    list.error(at("approval"), "expected `timeout`, such as {timeout: 259200} for three days");
  if (approval !== undefined && runSeconds !== undefined && approval.timeoutSeconds >= runSeconds)
    list.warn(
      at("approval"),
      `the run's own limit of ${runSeconds} s ends before the ${approval.timeoutSeconds} s of the wait`,
    );
  if (output === undefined || model === undefined || list.hasErrors) return undefined;
  const plan = { model, stage, rules, ...(approval === undefined ? {} : { approval }) };
  return controlNode({
    name: freeName(scope, nodes),
    kind: "promote",
    component: { name: "promote" },
    inputs: { model: output, ...readByRules(rules, output, nodes) },
    promotion: plan,
  });
}

function memberOf(value: unknown, key: string): unknown {
  return isMapping(value) ? value[key] : undefined;
}

function freeName(scope: Scope, nodes: ReadonlyMap<string, PlanNode>): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "promote" : `promote_${number}`;
    if (!nodes.has(name) && !scope.steps.has(name) && !scope.broken.has(name)) return name;
  }
}

/** The output that `model` is bound to. */
function readModel(text: string, scope: Scope, field: Field, compiler: PlanCompiler): ModelOutput | undefined {
  const { list } = compiler;
  const binding = parseBinding(text, { allowShort: true });
  if (binding === undefined) {
    list.error(field, `expected \${{parent.jobs.<node>.outputs.<name>}}, got ${describe(text)}`);
    return undefined;
  }
  const value =
    binding.kind === "pipelineOutput"
      ? promotedOutput(binding.name, scope, field, compiler)
      : followBinding(binding, scope, field, compiler);
  if (value === undefined || value.kind === "invalid" || value.kind === "later") return undefined;
  if (value.kind !== "output") {
    list.error(field, "a model is registered with the run that made it: name an output of a node");
    return undefined;
  }
  if (value.literal !== undefined || value.type === "mltable") {
    const what = value.literal === undefined ? "a table" : `a value of type ${value.literal}`;
    list.error(field, `\`${value.output}\` of \`${value.node}\` is ${what}, and no model`);
    return undefined;
  }
  const { node, output, type } = value;
  return { kind: "output", node, output, type, mode: "ro_mount" };
}

function promotedOutput(name: string, scope: Scope, field: Field, compiler: PlanCompiler): Value | undefined {
  const promoted = scope.promoted.get(name);
  if (promoted === undefined) {
    const isDeclared = scope.outputs.has(name);
    const what = isDeclared ? `no node makes the output \`${name}\`` : `the pipeline has no output \`${name}\``;
    const nearest = { name, among: scope.promoted.keys() };
    compiler.list.error(field, what, isDeclared ? {} : { nearest });
    return undefined;
  }
  const source = sourceOf(promoted.step, promoted.output, field, compiler);
  if (source === undefined) return undefined;
  return { kind: "output", node: source.step.flatName, output: source.output, ...typeOf(source) };
}

function readRules(
  written: unknown,
  model: ModelOutput | undefined,
  nodes: ReadonlyMap<string, PlanNode>,
  compiler: PlanCompiler,
): PromotionRule[] {
  const rules = memberOf(written, "rules");
  if (!Array.isArray(rules)) return [];
  const path = "settings.mlpipe.promote.rules";
  if (rules.length > mostRules)
    compiler.list.error(fieldOf("settings.mlpipe.promote", written, "rules"), `at most ${mostRules} rules can be told`);
  return (rules as unknown[]).flatMap(
    (rule, index) => readRule(rule, fieldOf(path, rules, index), model, nodes, compiler) ?? [],
  );
}

function readRule(
  written: unknown,
  field: Field,
  model: ModelOutput | undefined,
  nodes: ReadonlyMap<string, PlanNode>,
  { list }: PlanCompiler,
): PromotionRule | undefined {
  const read = isMapping(written) ? promotionRule(written, field, list) : undefined;
  if (read === undefined || !isMapping(written)) return undefined;
  const at = (key: string) => fieldOf(field.path, written, key);
  const { node: name, metric } = read;
  if (name === undefined) list.error(field, "a rule needs the `node` that logs its metric");
  if (metric === undefined) list.error(field, "a rule needs a `metric`");
  else if (metric === "" || metric.length > longestMetric)
    list.error(at("metric"), `a metric's name has 1 to ${longestMetric} characters`);
  const comparesWith = Object.hasOwn(written, "better_than");
  const isLimit = read.at_least !== undefined || read.at_most !== undefined;
  if (comparesWith && isLimit) list.error(at("better_than"), "a limit and a comparison are two rules");
  if (!comparesWith && !Object.hasOwn(written, "at_least") && !Object.hasOwn(written, "at_most"))
    list.error(field, "a rule needs `at_least`, `at_most` or `better_than: champion`");
  if (read.at_least !== undefined && read.at_most !== undefined && read.at_least > read.at_most)
    list.error(at("at_least"), "no value is at least that and at most the other");
  if (!comparesWith)
    for (const key of ["by", "goal", "if_unscorable"])
      if (Object.hasOwn(written, key))
        list.warn(at(key), `\`${key}\` has no effect without \`better_than\``, { atKey: true });
  if (name === undefined || metric === undefined) return undefined;
  const node = nodes.get(name);
  if (node === undefined) {
    list.error(at("node"), `there is no node \`${name}\``, { nearest: { name, among: nodes.keys() } });
    return undefined;
  }
  if (node.kind !== "command" && node.kind !== "sweep") {
    list.error(at("node"), `\`${name}\` is control flow and logs no metrics; name a node with a job`);
    return undefined;
  }
  if (!comparesWith) {
    const { at_least: atLeast, at_most: atMost } = read;
    const limits = { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) };
    return { kind: "limit", node: name, metric, ...limits };
  }
  if (node.kind === "sweep") {
    list.error(at("node"), `\`${name}\` is a sweep, which cannot score the champion; name a node that reads the model`);
    return undefined;
  }
  if (model !== undefined && modelInputsOf(node, model).length === 0) {
    const what = `\`${name}\` does not read the model, \`${model.output}\` of \`${model.node}\``;
    list.error(at("node"), `${what}, so it cannot score the champion`);
    return undefined;
  }
  const { goal = "maximize", by = 0, if_unscorable: ifUnscorable = "reject" } = read;
  return { kind: "champion", node: name, metric, goal, by, ifUnscorable };
}

/** Names of the inputs by which `node` reads the model. */
export function modelInputsOf(node: PlanNode, model: PlanInput | undefined): string[] {
  if (model?.kind !== "output") return [];
  return Object.entries(node.inputs).flatMap(([name, input]) =>
    input.kind === "output" && input.node === model.node && input.output === model.output ? [name] : [],
  );
}

/** All else that the rules' nodes read of others: what their measurements depend on. */
function readByRules(
  rules: readonly PromotionRule[],
  model: ModelOutput,
  nodes: ReadonlyMap<string, PlanNode>,
): Record<string, PlanInput> {
  const inputs: Record<string, PlanInput> = {};
  for (const { kind, node: name } of rules) {
    const node = kind === "champion" ? nodes.get(name) : undefined;
    if (node === undefined) continue;
    const own = new Set(modelInputsOf(node, model));
    for (const [input, value] of Object.entries(node.inputs))
      if (value.kind === "output" && !own.has(input)) inputs[`${name}.${input}`] = value;
  }
  return inputs;
}
