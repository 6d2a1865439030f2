// What Azure ML's client takes, written down apart from our own loader: fields by kind, where each expression may stand, and that
// what an expression names is there. `az ml` refuses fields that it does not know, so unknown ones are problems here.
import { z } from "zod";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { type Mapping, isMapping } from "#shared/domain/shape.ts";

const text = z.union([z.string(), z.number(), z.boolean()]);
const count = z.number().int().positive();
const tags = z.record(z.string(), text);
const data = ["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"] as const;
const literal = ["string", "number", "integer", "boolean"] as const;
const inputMode = z.enum(["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"]);
const outputMode = z.enum(["rw_mount", "upload", "direct"]);
const nodeName = z.string().regex(/^[a-z_][a-z\d_]*$/);
const portName = z.string().regex(/^[A-Za-z_]\w*$/);
const componentName = z.string().regex(/^[a-z][a-z\d_]{0,254}$/);
const parentInput = z.string().regex(/^\$\{\{\s*parent\.inputs\.\w+\s*\}\}$/);
const nodeOutput = z.string().regex(/^\$\{\{\s*parent\.jobs\.\w+\.outputs\.\w+\s*\}\}$/);
const nodeItself = z.string().regex(/^\$\{\{\s*parent\.jobs\.\w+\s*\}\}$/);

// In a job an input has a value, in a component it is declared.
const jobInput = z.union([
  text,
  z.strictObject({ type: z.enum([...data, ...literal]), path: text.optional(), mode: inputMode.optional() }),
]);
const nodeInput = z.union([
  z.null(),
  text,
  z.strictObject({ type: z.enum(data).optional(), path: text, mode: inputMode.optional() }),
]);
const declaration = z.strictObject({
  type: z.enum([...data, ...literal]),
  description: z.string().optional(),
  optional: z.boolean().optional(),
  default: text.optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  enum: z.array(text).optional(),
  mode: inputMode.optional(),
});
const outputSettings = {
  type: z.enum([...data, ...literal]),
  mode: outputMode,
  path: z.string(),
  name: z.string(),
  version: text,
};
const jobOutput = z
  .strictObject({ ...outputSettings, is_control: z.boolean(), description: z.string() })
  .partial()
  .nullable();
const declaredOutput = z.strictObject({
  type: z.enum([...data, ...literal]),
  description: z.string().optional(),
  mode: outputMode.optional(),
  is_control: z.boolean().optional(),
});
const nodeOutputs = z.record(
  portName,
  z.union([
    z.string().regex(/^\$\{\{\s*parent\.outputs\.\w+\s*\}\}$/),
    z.strictObject(outputSettings).partial(),
    z.null(),
  ]),
);

const environment = z.union([
  z.string(),
  z
    .strictObject({
      name: text,
      version: text,
      image: z.string(),
      conda_file: z.unknown(),
      build: z.unknown(),
      os_type: z.string(),
    })
    .partial(),
]);
const resources = z
  .strictObject({
    instance_count: z.union([count, parentInput]),
    instance_type: z.string(),
    shm_size: z.string(),
    docker_args: z.string(),
    properties: z.record(z.string(), z.unknown()),
  })
  .partial();
const timeLimit = z.strictObject({ timeout: z.union([count, parentInput]).optional() });
const environmentVariables = z.record(z.string(), text);

const named = {
  display_name: z.string(),
  description: z.string(),
  tags,
  comment: z.string(),
  properties: z.record(z.string(), z.unknown()),
};
const ran = {
  ...named,
  inputs: z.record(portName, nodeInput),
  outputs: nodeOutputs,
  compute: z.string(),
  settings: z.looseObject({ force_rerun: z.boolean().optional() }),
};
const job = {
  identity: z.looseObject({ type: z.string() }),
  queue_settings: z.strictObject({ job_tier: z.string(), priority: z.string() }).partial(),
};
const batches = {
  mini_batch_size: z.string().regex(/^\d+(?:[kmg]?b)?$/i),
  partition_keys: z.array(z.string()),
  error_threshold: z.number().int(),
  mini_batch_error_threshold: z.number().int(),
  logging_level: z.string(),
  max_concurrency_per_instance: count,
  retry_settings: z.strictObject({ max_retries: z.number().int(), timeout: z.number() }).partial(),
  environment_variables: environmentVariables,
  resources,
  limits: timeLimit,
};
const runsCommand = {
  environment_variables: environmentVariables,
  distribution: z.looseObject({ type: z.enum(["pytorch", "mpi", "tensorflow"]) }),
  resources,
  limits: timeLimit,
};

const interval = { evaluation_interval: count.optional(), delay_evaluation: z.number().int().optional() };
const range = { min_value: z.number(), max_value: z.number() };
const bell = { mu: z.number(), sigma: z.number() };
const stepped = { q: z.number() };
const distribution = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("choice"), values: z.array(text).min(1) }),
  z.strictObject({ type: z.literal("randint"), upper: count }),
  ...(["uniform", "loguniform"] as const).map((type) => z.strictObject({ type: z.literal(type), ...range })),
  ...(["quniform", "qloguniform"] as const).map((type) =>
    z.strictObject({ type: z.literal(type), ...range, ...stepped }),
  ),
  ...(["normal", "lognormal"] as const).map((type) => z.strictObject({ type: z.literal(type), ...bell })),
  ...(["qnormal", "qlognormal"] as const).map((type) => z.strictObject({ type: z.literal(type), ...bell, ...stepped })),
]);

const inputData = z.string().regex(/^\$\{\{inputs\.\w+\}\}$/);
const task = z.strictObject({
  type: z.literal("run_function"),
  code: z.string().optional(),
  entry_script: z.string(),
  environment,
  program_arguments: z.string().optional(),
  append_row_to: z
    .string()
    .regex(/^\$\{\{outputs\.\w+\}\}$/)
    .optional(),
});

const component = z.union([z.string(), z.record(z.string(), z.unknown())]);
/** A node says by `component` what it runs, or in its own fields. */
const ownCommand = { component, command: z.string(), code: z.string(), additional_includes: z.array(z.string()) };
const ownBatches = { component, input_data: inputData, task };
const kinds = z.discriminatedUnion("type", [
  z
    .strictObject({ ...ran, ...job, ...runsCommand, ...ownCommand, environment, services: z.unknown() })
    .partial()
    .extend({ type: z.literal("command") }),
  z
    .strictObject({ ...ran, ...job, ...batches, ...ownBatches })
    .partial()
    .extend({ type: z.literal("parallel") }),
  ...(["spark", "automl", "import", "data_transfer"] as const).map((type) => z.looseObject({ type: z.literal(type) })),
  z
    .strictObject(ran)
    .partial()
    .extend({ type: z.literal("pipeline"), component }),
  z
    .strictObject({ ...ran, ...job, resources, sampling_algorithm: z.unknown() })
    .partial()
    .extend({
      type: z.literal("sweep"),
      trial: component,
      search_space: z.record(portName, distribution),
      objective: z.strictObject({ goal: z.enum(["minimize", "maximize"]), primary_metric: z.string() }),
      limits: z
        .strictObject({ max_total_trials: count, max_concurrent_trials: count, timeout: count, trial_timeout: count })
        .partial()
        .optional(),
      early_termination: z
        .discriminatedUnion("type", [
          z.strictObject({
            type: z.literal("bandit"),
            slack_factor: z.number().optional(),
            slack_amount: z.number().optional(),
            ...interval,
          }),
          z.strictObject({ type: z.literal("median_stopping"), ...interval }),
          z.strictObject({ type: z.literal("truncation_selection"), truncation_percentage: count, ...interval }),
        ])
        .optional(),
    }),
  z
    .strictObject(named)
    .partial()
    .extend({
      type: z.literal("if_else"),
      condition: z.union([z.boolean(), nodeOutput, parentInput]),
      true_block: z.union([nodeItself, z.array(nodeItself)]).optional(),
      false_block: z.union([nodeItself, z.array(nodeItself)]).optional(),
    }),
  z
    .strictObject(named)
    .partial()
    .extend({
      type: z.literal("do_while"),
      body: nodeItself,
      condition: z.union([z.literal(true), nodeOutput]),
      mapping: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
      limits: z.strictObject({ max_iteration_count: count.max(1000) }),
    }),
  z
    .strictObject(named)
    .partial()
    .extend({
      type: z.literal("parallel_for"),
      body: nodeItself,
      items: z.union([
        z.string(),
        z.array(z.record(portName, nodeInput)),
        z.record(z.string(), z.record(portName, nodeInput)),
      ]),
      max_concurrency: count.optional(),
      outputs: nodeOutputs.optional(),
    }),
]);

/** A node without a type is a command. */
const node = z.preprocess((value) => (isMapping(value) ? { type: "command", ...value } : value), kinds);

const about = {
  $schema: z.string(),
  version: text,
  display_name: z.string(),
  description: z.string(),
  tags,
  is_deterministic: z.boolean(),
};
const declared = { inputs: z.record(portName, declaration), outputs: z.record(portName, declaredOutput) };
const jobs = z.record(nodeName, node);
const settings = z.looseObject({
  default_compute: z.string().optional(),
  default_datastore: z.string().optional(),
  continue_on_step_failure: z.boolean().optional(),
  force_rerun: z.boolean().optional(),
  on_init: z.union([nodeName, nodeItself]).optional(),
  on_finalize: z.union([nodeName, nodeItself]).optional(),
});

const pipelineJob = z
  .strictObject({
    ...named,
    experiment_name: z.string(),
    compute: z.string(),
    settings,
    inputs: z.record(portName, jobInput),
    outputs: z.record(portName, jobOutput),
    identity: z.unknown(),
    jobs,
    component,
  })
  .partial()
  .extend({
    $schema: z
      .string()
      .regex(/\/pipelineJob\.schema\.json$/)
      .optional(),
    type: z.literal("pipeline"),
  });
const components = {
  command: z
    .strictObject({ ...about, ...declared, ...runsCommand, code: z.string(), additional_includes: z.array(z.string()) })
    .partial()
    .extend({
      type: z.literal("command").optional(),
      name: componentName.optional(),
      environment,
      command: z.string().min(1),
    }),
  parallel: z
    .strictObject({ ...about, ...declared, ...batches })
    .partial()
    .extend({
      type: z.literal("parallel"),
      name: componentName.optional(),
      input_data: inputData,
      task,
    }),
  pipeline: z
    .strictObject({ ...about, ...declared, settings })
    .partial()
    .extend({ type: z.literal("pipeline"), name: componentName.optional(), jobs }),
};

/** What Azure ML's client has against a pipeline job or a component. */
export function schemaProblems(yaml: string): string[] {
  const { value, issues } = readYaml(yaml, undefined);
  if (!isMapping(value)) return issues.map(({ message }) => message);
  const kind = /\/(\w+)Component\.schema\.json$/.exec(String(value.$schema))?.[1];
  return kind === undefined ? problemsIn(value, pipelineJob, "") : problemsOfComponent(value, "");
}

function problemsOfComponent(value: Mapping, path: string): string[] {
  const kind = typeof value.type === "string" ? value.type : "command";
  return kind in components
    ? problemsIn(value, components[kind as keyof typeof components], path)
    : [`${path}: there are no ${kind} components`];
}

function problemsIn(value: Mapping, schema: z.ZodType, path: string): string[] {
  const { error } = schema.safeParse(value);
  const nodes = isMapping(value.jobs) ? value.jobs : {};
  return [
    ...(error?.issues ?? []).map(({ path: at, message }) => [path, ...at].join(".") + `: ${message}`),
    ...Object.entries(nodes).flatMap(([name, spec]) => {
      if (!isMapping(spec)) return [];
      const inner = spec.component ?? spec.trial;
      const at = `${path}.jobs.${name}`;
      return [
        ...unknownNames(spec, at, value),
        ...(isMapping(inner) ? problemsOfComponent(inner, `${at}.component`) : []),
      ];
    }),
  ];
}

/** Expressions of a node that name what its pipeline does not have, or stand where they may not. */
function unknownNames(
  { component: _component, trial: _trial, ...spec }: Mapping,
  path: string,
  pipeline: Mapping,
): string[] {
  const has = (side: string, name: string) => isMapping(pipeline[side]) && Object.hasOwn(pipeline[side], name);
  return Object.entries(spec).flatMap(([field, value]) =>
    expressionsIn(value).flatMap(({ expression, isWhole }) => {
      const isOwn =
        ["command", "args", "task", "input_data"].includes(field) &&
        /^\$\{\{\s*(?:inputs|outputs|search_space)\.\w+\s*\}\}$/.test(expression);
      const isMacro = field === "outputs" && /^\$\{\{(?:name|output_name|default_datastore)\}\}$/.test(expression);
      if (isOwn || isMacro) return [];
      const [, side = "", name = "", port] =
        /^\$\{\{\s*parent\.(inputs|outputs|jobs)\.(\w+)(?:\.(inputs|outputs)\.\w+)?\s*\}\}$/.exec(expression) ?? [];
      const mayStand =
        isWhole &&
        (side === "inputs" ||
          (side === "outputs" && field === "outputs") ||
          (port === "inputs" && ["inputs", "mapping"].includes(field)) ||
          (port === "outputs" && readsOutputs.includes(field)) ||
          (port === undefined && side === "jobs" && ["body", "true_block", "false_block"].includes(field)));
      if (mayStand && has(side, name)) return [];
      return [`${path}.${field}: ${expression} ${mayStand ? "names nothing" : "may not stand here"}`];
    }),
  );
}

const readsOutputs = ["inputs", "condition", "items", "mapping", "training_data", "validation_data", "test_data"];

function expressionsIn(value: unknown): { readonly expression: string; readonly isWhole: boolean }[] {
  if (typeof value === "string")
    return [...value.matchAll(/\$\{\{.*?\}\}/g)].map(([expression]) => ({ expression, isWhole: expression === value }));
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(expressionsIn) : [];
}
