// A search over hyper-parameters: the trial runs once per set of values, and the best trial's outputs are the node's. The trial
// compiles as a command whose searched inputs hold a value from the middle of their ranges.
import type { z } from "zod";
import { bindFields } from "../bind-fields.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import { coerceLiteral } from "../literals.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import type { InputDeclaration } from "../ports.ts";
import { anything, describe, isMapping, type Mapping, mapping, positiveInteger, shape, text } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { inputsOf } from "../step-inputs.ts";
import { Distribution, valueAt } from "../sweep/search-space.ts";
import { EarlyTermination, SamplingAlgorithm, type SweepPlan } from "../sweep/sweep-plan.ts";
import { command } from "./command.ts";
import { nodeFields, resources } from "./fields.ts";
import type { NodeKind } from "./node-kind.ts";

const sweepFields = {
  trial: anything,
  search_space: mapping,
  objective: shape({ goal: text, primary_metric: text }),
  sampling_algorithm: anything,
  limits: shape({
    max_total_trials: positiveInteger,
    max_concurrent_trials: positiveInteger,
    timeout: positiveInteger,
    trial_timeout: positiveInteger,
  }),
  early_termination: mapping,
};
const nodeShape = shape({ ...nodeFields, ...sweepFields, resources, environment_variables: anything });
type SweepNode = NonNullable<ReturnType<typeof nodeShape>>;

export const sweep: NodeKind = {
  type: "sweep",
  declaredIn: "trial",

  // The search space gives the trial's inputs of the same names.
  inputsGivenElsewhere: (node) => Object.keys(isMapping(node.search_space) ? node.search_space : {}),

  async load(spec, loader, path) {
    if (spec.trial === undefined || spec.trial === null) return spec;
    const trial = await loader.component(spec.trial, fieldOf(path, spec, "trial"));
    return keepSource(spec, { ...spec, trial: trial ?? spec.trial });
  },

  compile(step, compiler) {
    const bound = bindFields(step, compiler);
    const node = nodeShape(bound, step.field, compiler.list) ?? {};
    const plan = readSweep(step, node, compiler);
    const trial = readTrial(step, node.trial, compiler);
    if (plan === undefined || trial === undefined) {
      // What is wrong with its inputs is told all the same.
      inputsOf(step, compiler);
      return;
    }
    const kind = "sweep" as const;
    command.compile(trialStep(step, trial, plan), {
      ...compiler,
      add: (planNode, field) => compiler.add({ ...planNode, kind, sweep: plan }, field),
    });
  },
};

function readTrial(step: Step, trial: unknown, compiler: PlanCompiler): Mapping | undefined {
  const field = fieldOf(step.path, step.node, "trial");
  const found = typeof trial === "string" ? compiler.component(trial, field) : trial;
  if (isMapping(found)) return found;
  if (typeof trial !== "string")
    compiler.list.error(
      trial === undefined ? step.field : field,
      "a sweep needs a `trial`: a command component or its file",
    );
  return undefined;
}

/** The sweep's node as the command that one trial is. */
function trialStep(step: Step, trial: Mapping, { searchSpace }: SweepPlan): Step {
  const left = Object.entries(step.node).filter(([key]) => !(key in sweepFields) && key !== "type");
  const given = isMapping(step.node.inputs) ? step.node.inputs : {};
  const searched = Object.entries(searchSpace).map(
    ([name, distribution]) => [name, valueAt(distribution, 0.5)] as const,
  );
  const inputs = keepSource(given, { ...given, ...Object.fromEntries(searched) });
  const script =
    typeof trial.command === "string"
      ? trial.command.replaceAll(/\$\{\{\s*search_space\.([\w.-]+)\s*\}\}/g, "${{inputs.$1}}")
      : trial.command;
  return {
    ...step,
    kind: command,
    node: keepSource(step.node, { ...Object.fromEntries(left), inputs }),
    component: keepSource(trial, { ...trial, command: script }),
    // In a loop its other inputs have values that the node does not tell.
    values: new Map([...step.values].filter(([name]) => !Object.hasOwn(searchSpace, name))),
  };
}

function readSweep(step: Step, node: SweepNode, { list }: PlanCompiler): SweepPlan | undefined {
  const searchSpace = readSearchSpace(step, node, list);
  const sampling = readSampling(step, node.sampling_algorithm, list);
  const { goal, primary_metric: primaryMetric } = node.objective ?? {};
  const objectiveField = node.objective === undefined ? step.field : fieldOf(step.path, step.node, "objective");
  const goals = ["minimize", "maximize"] as const;
  const knownGoal = goals.find((name) => name === goal?.toLowerCase());
  if (knownGoal === undefined)
    list.error(objectiveField, "a sweep needs an `objective` with `goal: minimize` or `goal: maximize`");
  if (primaryMetric === undefined)
    list.error(objectiveField, "a sweep needs an `objective` with the `primary_metric` that its trials log");
  const {
    max_total_trials: asked,
    max_concurrent_trials: atOnce,
    timeout,
    trial_timeout: trialTimeout,
  } = node.limits ?? {};
  const isGrid = sampling?.type === "grid";
  const points = Object.values(searchSpace ?? {}).reduce(
    (count, distribution) => count * (distribution.type === "choice" ? distribution.values.length : Infinity),
    1,
  );
  if (isGrid && !Number.isFinite(points)) {
    list.error(
      fieldOf(step.path, step.node, "search_space"),
      "grid sampling takes `choice` alone; use random or bayesian for ranges",
    );
  }
  const maxTotalTrials = isGrid && Number.isFinite(points) ? Math.min(asked ?? points, points) : asked;
  if (maxTotalTrials === undefined) list.error(step.field, "a sweep needs `limits.max_total_trials`");
  const earlyTermination = readEarlyTermination(step, node.early_termination, list);
  if (searchSpace === undefined || sampling === undefined || knownGoal === undefined || primaryMetric === undefined)
    return undefined;
  if (maxTotalTrials === undefined || (isGrid && !Number.isFinite(points))) return undefined;
  return {
    searchSpace,
    sampling,
    objective: { goal: knownGoal, primaryMetric },
    limits: {
      maxTotalTrials,
      maxConcurrentTrials: Math.min(atOnce ?? maxTotalTrials, maxTotalTrials),
      ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
      ...(trialTimeout === undefined ? {} : { trialTimeoutSeconds: trialTimeout }),
    },
    ...(earlyTermination === undefined ? {} : { earlyTermination }),
  };
}

type List = PlanCompiler["list"];

function readSearchSpace(step: Step, node: SweepNode, list: List): SweepPlan["searchSpace"] | undefined {
  const field = fieldOf(step.path, step.node, "search_space");
  const entries = Object.entries(node.search_space ?? {});
  if (entries.length === 0) {
    list.error(
      node.search_space === undefined ? step.field : field,
      "a sweep needs a `search_space` with at least one input",
    );
    return undefined;
  }
  const base = logBase(node.sampling_algorithm);
  const space: Record<string, Distribution> = {};
  for (const [name, written] of entries) {
    const place = fieldOf(field.path, node.search_space, name);
    const declared = step.declaredInputs?.get(name);
    if (step.declaredInputs !== undefined && declared === undefined)
      list.error(place, `the trial has no input \`${name}\``, {
        atKey: true,
        nearest: { name, among: step.declaredInputs.keys() },
      });
    const parsed = Distribution.safeParse(withNumbers(written));
    if (!parsed.success) {
      tell(parsed.error.issues, place, written, list);
      continue;
    }
    const distribution = parsed.data;
    if ("min_value" in distribution && distribution.min_value >= distribution.max_value)
      list.error(place, "`min_value` must be below `max_value`");
    warnOfFields(written, Object.keys(distribution), place, list);
    if (declared === undefined || isSearchable(declared, distribution, written, place, list))
      space[name] = base === undefined ? distribution : inBase(distribution, base);
  }
  return space;
}

/** Whether every value that comes of it is one that the input takes. */
function isSearchable(
  declared: InputDeclaration,
  distribution: Distribution,
  written: unknown,
  field: Field,
  list: List,
): boolean {
  if (declared.kind === "data") {
    list.error(field, `only literals can be searched, and this input is a ${declared.type}`);
    return false;
  }
  if (distribution.type !== "choice") {
    if (declared.type === "number" || declared.type === "integer") return true;
    list.error(field, `a ${declared.type} can be searched by \`choice\` alone, got \`${distribution.type}\``);
    return false;
  }
  const values = isMapping(written) ? written.values : undefined;
  const isRight = distribution.values.map((value, index) => {
    const coerced = coerceLiteral(value, declared);
    if (coerced.value !== undefined) return true;
    const nearest = { name: String(value), among: coerced.nearest ?? [] };
    list.error(fieldOf(`${field.path}.values`, values, index), coerced.problem, { nearest });
    return false;
  });
  return isRight.every(Boolean);
}

function warnOfFields(written: unknown, known: readonly string[], field: Field, list: List): void {
  if (!isMapping(written)) return;
  for (const key of Object.keys(written)) {
    if (known.includes(key)) continue;
    list.warn(fieldOf(field.path, written, key), `\`${key}\` is not known here; it has no effect`, {
      atKey: true,
      nearest: { name: key, among: known },
    });
  }
}

/** Numbers that YAML 1.1 reads as text (`1e-3`) are numbers where a number belongs. */
function withNumbers(written: unknown): unknown {
  if (!isMapping(written)) return written;
  const isNumber = (value: unknown) =>
    typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
  return Object.fromEntries(
    Object.entries(written).map(([key, value]) => [key, key !== "type" && isNumber(value) ? Number(value) : value]),
  );
}

function logBase(algorithm: unknown): number | undefined {
  if (!isMapping(algorithm) || algorithm.logbase === undefined || algorithm.logbase === "e") return undefined;
  return Number(algorithm.logbase);
}

/** Bounds of logarithmic distributions are exponents of the base, which is e unless told otherwise. */
function inBase(distribution: Distribution, base: number): Distribution {
  if (distribution.type !== "loguniform" && distribution.type !== "qloguniform") return distribution;
  const factor = Math.log(base);
  return { ...distribution, min_value: distribution.min_value * factor, max_value: distribution.max_value * factor };
}

function readSampling(step: Step, written: unknown, list: List): SweepPlan["sampling"] | undefined {
  const field = fieldOf(step.path, step.node, "sampling_algorithm");
  const value = isMapping(written) ? withNumbers(written) : { type: written ?? "random" };
  const parsed = SamplingAlgorithm.safeParse(value);
  if (!parsed.success) tell(parsed.error.issues, field, written, list);
  return parsed.data;
}

function readEarlyTermination(step: Step, written: Mapping | undefined, list: List): SweepPlan["earlyTermination"] {
  if (written === undefined) return undefined;
  const field = fieldOf(step.path, step.node, "early_termination");
  const parsed = EarlyTermination.safeParse(withNumbers(written));
  if (!parsed.success) {
    tell(parsed.error.issues, field, written, list);
    return undefined;
  }
  const policy = parsed.data;
  const hasNoSlack = policy.type === "bandit" && policy.slack_factor === undefined && policy.slack_amount === undefined;
  if (hasNoSlack) list.error(field, "the bandit policy needs `slack_factor` or `slack_amount`");
  return policy;
}

function tell(issues: readonly z.core.$ZodIssue[], field: Field, holder: unknown, list: List): void {
  for (const issue of issues) {
    const [key] = issue.path;
    const isWritten = typeof key === "string" && isMapping(holder) && key in holder;
    const at = isWritten ? fieldOf(field.path, holder, key) : field;
    const value: unknown = isWritten ? holder[key] : holder;
    const among = namesIn(issue);
    if (key !== undefined && !isWritten && isMapping(holder)) list.error(field, `needs \`${String(key)}\``);
    else if (among.length > 0)
      list.error(at, `expected one of ${among.map((name) => `\`${name}\``).join(", ")}, got ${describe(value)}`, {
        nearest: { name: String(value), among },
      });
    else if (issue.code === "invalid_type") list.error(at, `expected a ${issue.expected}, got ${describe(value)}`);
    else list.error(at, issue.message);
  }
}

/** The names of which a value has to be one. */
function namesIn(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)
    ? issue.options.map(String)
    : [];
}
