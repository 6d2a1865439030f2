// Azure ML's schedule file. What mlpipe adds stands in `properties:` under names that begin with `mlpipe.`, where Azure ML keeps
// what it does not know: `mlpipe.overlap`, `mlpipe.catch_up`, `mlpipe.max_catch_up`.
import type { Issue } from "../../errors.ts";
import type { InputValue } from "../input-value.ts";
import { type Field, type IssueList, createIssueList, fieldOf } from "../issue-list.ts";
import type { PipelineDocument } from "../pipeline-document.ts";
import { folderOf, joinPath } from "../posix-path.ts";
import { readYaml } from "../read-yaml.ts";
import {
  type Mapping,
  anything,
  describe,
  isLiteral,
  isMapping,
  mapping,
  oneOf,
  positiveInteger,
  recordOf,
  shape,
  text,
} from "../shape.ts";
import { readTrigger } from "./read-trigger.ts";
import { CatchUp, type CreateJob, Overlap, type Schedule, type ScheduledPipeline, ScheduleName } from "./schedule.ts";

const scheduleShape = shape({
  $schema: text,
  name: text,
  version: text,
  display_name: text,
  description: text,
  tags: recordOf(text),
  properties: mapping,
  trigger: anything,
  create_job: anything,
});

const referenceShape = shape({
  type: oneOf(["pipeline"]),
  job: anything,
  experiment_name: text,
  display_name: text,
  description: text,
  tags: recordOf(text),
  inputs: mapping,
  outputs: mapping,
  settings: mapping,
});

const overlap = oneOf(Overlap.options);
const catchUp = oneOf(CatchUp.options);

/** Ticks that `catch_up: all` fires at most. */
const defaultMaxCatchUp = 10;

export interface ScheduleRead {
  /** Undefined when `issues` holds an error. A document in it stands as it was written: load it before use. */
  readonly schedule: Schedule | undefined;
  /** What was read, for who sends it on. */
  readonly written: Mapping | undefined;
  readonly issues: readonly Issue[];
}

export interface ReadScheduleOptions {
  /** The schedule's own file, which issues name and paths are relative to; absent when it came without files beside it. */
  readonly file?: string;
  /** The name it is known by elsewhere: taken when the document has none, compared when it has. */
  readonly name?: string;
}

/** Reads a schedule and tells everything that is wrong with it; the pipeline it starts is not read. */
export function readSchedule(source: string | Mapping, options: ReadScheduleOptions = {}): ScheduleRead {
  const list = createIssueList();
  const read = typeof source === "string" ? readYaml(source, options.file) : { value: source, issues: [] };
  list.add(read.issues);
  if (!isMapping(read.value)) {
    if (read.issues.length === 0) list.error({ path: "" }, `expected a schedule, got ${describe(read.value)}`);
    return { schedule: undefined, written: undefined, issues: list.issues };
  }
  const written = read.value;
  const fields = scheduleShape(written, { path: "", holder: written }, list) ?? {};
  const name = readName(written, fields.name, options.name, list);
  const trigger = readTrigger(written.trigger, placeOr(written, "trigger"), list);
  const createJob = readCreateJob(written.create_job, placeOr(written, "create_job"), options.file, list);
  const policies = readPolicies(fields.properties, list);
  if (list.hasErrors || name === undefined || trigger === undefined || createJob === undefined) {
    return { schedule: undefined, written, issues: list.issues };
  }
  const { display_name: displayName, description, tags = {} } = fields;
  const schedule: Schedule = {
    name,
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    tags: { ...tags },
    trigger,
    ...policies,
    createJob,
  };
  return { schedule, written, issues: list.issues };
}

/** A key's place, or the document's where the key is missing. */
function placeOr(written: Mapping, key: string): Field {
  return Object.hasOwn(written, key) ? fieldOf("", written, key) : { path: key, holder: written };
}

function readName(
  written: Mapping,
  own: string | undefined,
  known: string | undefined,
  list: IssueList,
): string | undefined {
  const field = placeOr(written, "name");
  if (own !== undefined && known !== undefined && own !== known) {
    list.error(field, `the schedule calls itself \`${own}\` and is sent as \`${known}\``);
    return undefined;
  }
  const name = own ?? known;
  if (name === undefined) {
    list.error(field, "a schedule needs a `name`");
    return undefined;
  }
  const parsed = ScheduleName.safeParse(name);
  if (!parsed.success) list.error(field, `${describe(name)} is no name: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

function readPolicies(properties: Mapping | undefined, list: IssueList) {
  const read = { overlap: "skip" as Overlap, catchUp: "last" as CatchUp, maxCatchUp: defaultMaxCatchUp };
  for (const [key, value] of Object.entries(properties ?? {})) {
    const field = fieldOf("properties", properties, key);
    if (key === "mlpipe.overlap") read.overlap = overlap(value, field, list) ?? read.overlap;
    else if (key === "mlpipe.catch_up") read.catchUp = catchUp(value, field, list) ?? read.catchUp;
    else if (key === "mlpipe.max_catch_up") read.maxCatchUp = positiveInteger(value, field, list) ?? read.maxCatchUp;
    else if (key.startsWith("mlpipe")) {
      const among = ["mlpipe.overlap", "mlpipe.catch_up", "mlpipe.max_catch_up"];
      list.warn(field, `\`${key}\` is not known here; it has no effect`, {
        atKey: true,
        nearest: { name: key, among },
      });
    }
  }
  return read;
}

function readCreateJob(
  written: unknown,
  field: Field,
  file: string | undefined,
  list: IssueList,
): CreateJob | undefined {
  const plain = { inputs: {}, outputs: {}, settings: {}, tags: {} };
  if (typeof written === "string") {
    const pipeline = readReference(written, field, file, list);
    return pipeline === undefined ? undefined : { pipeline, ...plain };
  }
  if (!isMapping(written)) {
    list.error(field, `expected a pipeline's file, \`azureml:<pipeline>\` or a job, got ${describe(written)}`);
    return undefined;
  }
  // Without `job:` the mapping is the job itself.
  if (written.job === undefined)
    return { pipeline: { kind: "document", document: written as PipelineDocument }, ...plain };
  const read = referenceShape(written, field, list);
  const jobField = fieldOf(field.path, written, "job");
  const pipeline = isMapping(written.job)
    ? ({ kind: "document", document: written.job as PipelineDocument } as const)
    : readReference(written.job, jobField, file, list);
  if (read === undefined || pipeline === undefined) return undefined;
  const { experiment_name: experimentName, display_name: displayName, tags = {}, outputs = {}, settings = {} } = read;
  return {
    pipeline,
    inputs: readInputs(read.inputs, field.path, list),
    outputs: { ...outputs },
    settings: { ...settings },
    ...(experimentName === undefined ? {} : { experimentName }),
    ...(displayName === undefined ? {} : { displayName }),
    tags: { ...tags },
  };
}

function readReference(
  written: unknown,
  field: Field,
  file: string | undefined,
  list: IssueList,
): ScheduledPipeline | undefined {
  if (typeof written !== "string" || written.trim() === "") {
    list.error(field, `expected a pipeline's file or \`azureml:<pipeline>\`, got ${describe(written)}`);
    return undefined;
  }
  const reference = written
    .trim()
    .replace(/^file:/, "")
    .replaceAll("\\", "/");
  const named = /^(?:azureml:)?([A-Za-z0-9][A-Za-z0-9_-]{0,79})(?:@latest|:([A-Za-z0-9._-]+))?$/.exec(reference);
  const [, name, version] = named ?? [];
  if (name !== undefined) return { kind: "named", name, ...(version === undefined ? {} : { version }) };
  if (reference.startsWith("azureml:")) {
    list.error(field, `\`${reference}\` names no pipeline: write \`azureml:<name>\` or \`azureml:<name>:<version>\``);
    return undefined;
  }
  if (file !== undefined) return { kind: "file", path: joinPath(folderOf(file), reference) };
  list.error(
    field,
    `\`${reference}\` is a file, and this schedule came without files beside it; put the pipeline itself here`,
  );
  return undefined;
}

function readInputs(written: Mapping | undefined, path: string, list: IssueList): Record<string, InputValue> {
  const inputs: Record<string, InputValue> = {};
  for (const [name, value] of Object.entries(written ?? {})) {
    const field = fieldOf(`${path}.inputs`, written, name);
    if (isLiteral(value)) inputs[name] = value;
    else if (isMapping(value) && typeof value.path === "string") {
      const { type, mode } = value;
      inputs[name] = {
        path: value.path,
        ...(typeof type === "string" ? { type } : {}),
        ...(typeof mode === "string" ? { mode } : {}),
      };
    } else if (value !== null) list.error(field, `expected a literal or \`{type, path}\`, got ${describe(value)}`);
  }
  return inputs;
}
