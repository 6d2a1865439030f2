// A schedule file of this machine made whole for a server: its pipeline read in, everything local stored, the rest as written.
import { localPathOf } from "#shared/domain/asset-references.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { folderOf, joinPath } from "#shared/domain/posix-path.ts";
import { readSchedule } from "#shared/domain/schedule/read-schedule.ts";
import type { Schedule } from "#shared/domain/schedule/schedule.ts";
import type { ScheduleAnswer } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { Client } from "./client.ts";
import type { CliContext } from "./context.ts";
import { checkLoaded, preparePipeline, storeReferences } from "./prepare-pipeline.ts";
import { printIssues } from "./report-error.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { type Store, createUploader } from "./store-files.ts";

const files = createFileSource();

/** Prints warnings. @throws MlpipeError `InvalidRequest` with every issue of the file and of the pipeline it names */
export async function sendSchedule(context: CliContext, client: Client, path: string): Promise<ScheduleAnswer> {
  const text = await files.readText(path);
  if (text === undefined) throw new MlpipeError("NotFound", `there is no file ${path}`);
  const { schedule, written, issues } = readSchedule(text, { file: joinPath("", path) });
  if (schedule === undefined || written === undefined) {
    throw new MlpipeError("InvalidRequest", `${path} has errors; nothing was changed`, { issues });
  }
  printIssues(context.terminal, issues);
  const store = createUploader(context.terminal, client);
  const { experimentName, displayName, outputs, settings, tags } = schedule.createJob;
  const createJob = {
    type: "pipeline",
    job: await toJob(context, path, schedule, store),
    inputs: await toInputs(path, schedule, store),
    outputs,
    settings,
    tags,
    ...(experimentName === undefined ? {} : { experiment_name: experimentName }),
    ...(displayName === undefined ? {} : { display_name: displayName }),
  };
  return client.putSchedule(schedule.name, { ...written, create_job: createJob });
}

async function toJob(context: CliContext, path: string, { createJob }: Schedule, store: Store): Promise<unknown> {
  const { pipeline } = createJob;
  if (pipeline.kind === "named")
    return `azureml:${pipeline.name}${pipeline.version === undefined ? "" : `:${pipeline.version}`}`;
  if (pipeline.kind === "file") return storeReferences(await preparePipeline(context, pipeline.path), store);
  const loaded = await parsePipeline(pipeline.document, { file: path, files });
  return storeReferences(checkLoaded(context, path, loaded), store);
}

/** Data beside the schedule's file goes into the store; everything else stays as it is. */
async function toInputs(path: string, { createJob }: Schedule, store: Store): Promise<Schedule["createJob"]["inputs"]> {
  const inputs = { ...createJob.inputs };
  for (const [name, value] of Object.entries(inputs)) {
    const local = typeof value === "object" ? localPathOf(value.path) : undefined;
    if (typeof value !== "object" || local === undefined || local.includes("${{")) continue;
    const { type = "uri_folder" } = value;
    const given = { [name]: joinPath(folderOf(joinPath("", path)), local) };
    const resolved = (await resolveInputs(given, { inputs: { [name]: { type } } }, store))[name];
    if (typeof resolved === "object") inputs[name] = { ...value, ...resolved };
  }
  return inputs;
}
