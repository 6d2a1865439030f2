// One script over many mini-batches of one input. It becomes one command job, which runs the mini-batches in processes of its own
// (parallel/harness.ts).
import { bindFields } from "../bind-fields.ts";
import { type Field, type IssueList, fieldOf } from "../issue-list.ts";
import { commandExpressions } from "../expressions.ts";
import { settingsOf } from "../outputs.ts";
import { type ParallelSettings, parallelScript } from "../parallel/parallel-script.ts";
import { toShellWords } from "../parallel/shell-words.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import {
  anything,
  integer,
  isMapping,
  listOf,
  type Mapping,
  number,
  oneOf,
  positiveInteger,
  type Reader,
  shape,
  text,
} from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { inputsOf } from "../step-inputs.ts";
import type { Value } from "../value.ts";
import { command } from "./command.ts";
import { commandFields, componentFields, nodeFields } from "./fields.ts";
import type { NodeKind } from "./node-kind.ts";

const threshold: Reader<number> = (value, field, list) => {
  const read = integer(value, field, list);
  if (read === undefined || read >= -1) return read;
  list.error(field, "expected a number of failures that are allowed, or -1 for any");
  return undefined;
};
const retries: Reader<number> = (value, field, list) => {
  const read = integer(value, field, list);
  if (read === undefined || read >= 0) return read;
  list.error(field, "expected a number of retries, 0 or more");
  return undefined;
};
const longestTimeoutSeconds = 259_200;
const timeout: Reader<number> = (value, field, list) => {
  const read = number(value, field, list);
  if (read === undefined || (read > 0 && read <= longestTimeoutSeconds)) return read;
  list.error(field, `expected seconds above 0 and up to ${longestTimeoutSeconds}`);
  return undefined;
};

/** Bytes of the units of a size. */
const units: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

/** `5` for so many files, `10kb` for so many bytes. */
const miniBatchSize: Reader<ParallelSettings["miniBatch"]> = (value, field, list) => {
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?b)?\s*$/i.exec(text(value, field, list) ?? "1") ?? [];
  const size = Number(amount) * (unit === undefined ? 1 : (units[unit.toLowerCase()] ?? 1));
  if (size >= 1 && (unit !== undefined || Number.isInteger(size)))
    return unit === undefined ? { files: size } : { bytes: Math.floor(size) };
  list.error(field, "expected a number of files such as `5`, or a size such as `10kb`");
  return undefined;
};

const taskShape = shape({
  type: text,
  code: text,
  entry_script: text,
  environment: anything,
  program_arguments: text,
  append_row_to: text,
  model: anything,
});

/** What only a parallel node has; the rest is as for a command. */
const parallelFields = {
  input_data: text,
  mini_batch_size: miniBatchSize,
  partition_keys: listOf(text),
  error_threshold: threshold,
  mini_batch_error_threshold: threshold,
  logging_level: oneOf(["info", "warning", "debug"]),
  max_concurrency_per_instance: positiveInteger,
  retry_settings: shape({ max_retries: retries, timeout }),
  task: taskShape,
};
const { environment_variables, resources, limits } = commandFields;
const nodeShape = shape({ ...nodeFields, ...parallelFields, environment_variables, resources, limits });
const componentShape = shape({ ...componentFields, ...parallelFields, environment_variables, resources, limits });
type Settings = NonNullable<ReturnType<typeof nodeShape>>;

export const parallel: NodeKind = {
  type: "parallel",

  async load(spec, loader, path) {
    if (!isMapping(spec.task)) return spec;
    const taskPath = fieldOf(path, spec, "task").path;
    const task = await loader.environment(await loader.code(spec.task, taskPath), taskPath);
    return keepSource(spec, { ...spec, task });
  },

  compile(step, compiler) {
    const bound = bindFields(step, compiler);
    const componentField = fieldOf(step.path, step.node, "component");
    const node = nodeShape(bound, step.field, compiler.list) ?? {};
    const component =
      step.component === undefined ? {} : (componentShape(step.component, componentField, compiler.list) ?? {});
    if (step.isUnknown) return;
    const said = createPlaces(step, bound);
    const task = { ...component.task, ...node.task };
    const settings = readSettings(step, { ...component, ...node, task }, said, compiler);
    if ((node.resources?.instance_count ?? component.resources?.instance_count ?? 1) > 1)
      compiler.list.warn(
        said(["resources", "instance_count"]),
        "all mini-batches run in processes of one machine; `max_concurrency_per_instance` says how many",
      );
    if (settings === undefined) return;
    const refusal = refusalOf(step, { ...component, ...node }, settings, compiler);
    command.compile(asCommand(step, settings, said), {
      ...compiler,
      add: (planNode, field) => compiler.add(refusal === undefined ? planNode : { ...planNode, refusal }, field),
      list: placed(compiler.list, {
        [`${step.path}.command`]: said(["task", "program_arguments"]),
        [`${step.path}.environment`]: said(["task", "environment"]),
        [`${step.path}.code`]: said(["task", "code"]),
      }),
    });
  },
};

type Places = ReturnType<typeof createPlaces>;

/** Finds where something is said: in the node, or else in its component, or else (the node itself) nowhere. */
function createPlaces({ path, node, component, field }: Step, bound: Mapping) {
  const holders = [
    { holder: bound, at: path },
    { holder: component ?? {}, at: `${path}.component` },
  ];
  return ([key, inner]: readonly [string, string?]): Field => {
    for (const { holder, at } of holders) {
      const value = holder[key];
      const place = fieldOf(at, holder === bound ? node : holder, key);
      if (inner === undefined && value !== undefined && value !== null) return place;
      if (inner !== undefined && isMapping(value) && value[inner] !== undefined)
        return fieldOf(place.path, value, inner);
    }
    return field;
  };
}

function readSettings(step: Step, node: Settings, said: Places, compiler: PlanCompiler): ParallelSettings | undefined {
  const { list } = compiler;
  const { task = {}, retry_settings: retry = {}, max_concurrency_per_instance: concurrency } = node;
  const input = readInput(step, node, said, compiler);
  if (task.type !== undefined && task.type !== "run_function" && task.type !== "function")
    list.error(said(["task", "type"]), `expected \`run_function\`, got \`${task.type}\``);
  if (task.model !== undefined)
    list.warn(said(["task", "model"]), "`model` has no effect; give the model to the script as an input");
  if (task.entry_script === undefined)
    list.error(said(["task"]), "a parallel node needs `task.entry_script`: a Python file with `run(mini_batch)`");
  const { program_arguments: programArguments, append_row_to: appendRowTo } = task;
  for (const key of ["program_arguments", "append_row_to"] as const) {
    if (task[key] !== undefined && toShellWords(task[key]) === undefined)
      list.error(said(["task", key]), "a quote is not closed");
  }
  const [target] = appendRowTo === undefined ? [] : commandExpressions(appendRowTo);
  if (appendRowTo !== undefined && (target?.scope !== "outputs" || target.start !== 0))
    list.error(said(["task", "append_row_to"]), "expected `${{outputs.<name>}}`");
  const isKnown = target === undefined || target.scope !== "outputs" || step.outputs.has(target.name);
  if (!isKnown) {
    const nearest = { name: target.name, among: step.outputs.keys() };
    list.error(said(["task", "append_row_to"]), `there is no output \`${target.name}\``, { nearest });
  }
  if (input === undefined || task.entry_script === undefined || !isKnown) return undefined;
  const isFolder = target !== undefined && settingsOf(step, target.name).type !== "uri_file";
  const isWhole = target?.end === appendRowTo?.length;
  return {
    entryScript: task.entry_script,
    input,
    miniBatch: node.mini_batch_size ?? { files: 1 },
    ...(concurrency === undefined ? {} : { concurrency }),
    maxRetries: retry.max_retries ?? 2,
    timeoutSeconds: retry.timeout ?? 60,
    errorThreshold: node.error_threshold ?? -1,
    miniBatchErrorThreshold: node.mini_batch_error_threshold ?? -1,
    loggingLevel: (node.logging_level ?? "info").toUpperCase(),
    ...(appendRowTo === undefined
      ? {}
      : { appendRowTo: isFolder && isWhole ? `${appendRowTo}/parallel_run_step.txt` : appendRowTo }),
    ...(programArguments === undefined ? {} : { programArguments }),
  };
}

/** Name of the input that is split; undefined after having told what is wrong with it. */
function readInput(step: Step, node: Settings, said: Places, compiler: PlanCompiler): string | undefined {
  const { list } = compiler;
  const written = node.input_data?.trim() ?? "";
  const [expression] = commandExpressions(written);
  const isWhole = expression?.scope === "inputs" && expression.start === 0 && expression.end === written.length;
  if (!isWhole) {
    list.error(said(["input_data"]), "a parallel node needs `input_data: ${{inputs.<name>}}`: the input that is split");
    return undefined;
  }
  const { name } = expression;
  const inputs = inputsOf(step, compiler);
  const value = inputs.get(name);
  if (!inputs.has(name)) {
    list.error(said(["input_data"]), `there is no input \`${name}\``, { nearest: { name, among: inputs.keys() } });
    return undefined;
  }
  if (value?.kind === "literal") {
    list.error(said(["input_data"]), `\`${name}\` is a literal; only a folder or a file can be split`);
    return undefined;
  }
  if (value?.kind !== "data" && value?.kind !== "output") return name;
  if (value.mode === "direct" && !isTableOfRows(value))
    list.error(
      fieldOf(`${step.path}.inputs`, step.node.inputs, name),
      "with `mode: direct` the job gets an address and no files; use ro_mount or download",
    );
  return name;
}

function isTableOfRows({ type, mode }: Extract<Value, { kind: "data" | "output" }>): boolean {
  return type === "mltable" && mode !== "eval_mount" && mode !== "eval_download";
}

/** What the node is that only Azure ML's own data engine can split; undefined for what runs here. */
function refusalOf(
  step: Step,
  node: Settings,
  { input }: ParallelSettings,
  compiler: PlanCompiler,
): string | undefined {
  const value = inputsOf(step, compiler).get(input);
  const isTable = (value?.kind === "data" || value?.kind === "output") && isTableOfRows(value);
  const reasons = [
    ...(node.partition_keys === undefined
      ? []
      : ["by `partition_keys` (split the data into files beforehand and say `mini_batch_size`)"]),
    ...(isTable
      ? [
          "over the rows of an mltable (say `mode: eval_mount` for a table of files, or give a folder of files, or one csv)",
        ]
      : []),
  ];
  return reasons.length === 0
    ? undefined
    : `a parallel job ${reasons.join(" and ")}, which needs Azure ML's own data engine`;
}

/** The node as the command that its job runs. */
function asCommand(step: Step, settings: ParallelSettings, said: Places): Step {
  const without = (spec: Mapping) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => !Object.hasOwn(parallelFields, key) && key !== "type"));
  const { code, environment } = taskOf(step, said);
  const { instance_count: _count, ...resources } = isMapping(step.node.resources) ? step.node.resources : {};
  const { instance_count: _other, ...ownResources } = isMapping(step.component?.resources)
    ? step.component.resources
    : {};
  const node = { ...without(step.node), resources, command: parallelScript(settings), code, environment };
  return {
    ...step,
    kind: command,
    node: keepSource(step.node, node),
    component:
      step.component === undefined
        ? undefined
        : keepSource(step.component, { ...without(step.component), resources: ownResources }),
  };
}

function taskOf(step: Step, said: Places): { code: unknown; environment: unknown } {
  const valueAt = (key: string) => {
    const { holder } = said(["task", key]);
    return isMapping(holder) && holder !== step.field.holder ? holder[key] : undefined;
  };
  return { code: valueAt("code"), environment: valueAt("environment") };
}

/** The list, with what the command is told of shown where the author said it. */
function placed(list: IssueList, places: Readonly<Record<string, Field>>): IssueList {
  const at = (field: Field): Field => (Object.hasOwn(places, field.path) ? (places[field.path] ?? field) : field);
  return {
    ...list,
    get hasErrors() {
      return list.hasErrors;
    },
    error: (field, message, extra) => list.error(at(field), message, extra),
    warn: (field, message, extra) => list.warn(at(field), message, extra),
  };
}
