// Everything a job needs before its command can start: an empty folder, its Python, its code and its data, all at once.
import { setMaxListeners } from "node:events";
import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Environments } from "../environments/environments.ts";
import { outputFilePath } from "./commit.ts";
import type { DatastoreResolver, JobExecution } from "./contract.ts";
import { expandCommand } from "./expressions.ts";
import { orAborted } from "./or-aborted.ts";
import { toJobEnvironment } from "./job-environment.ts";
import type { HostEnvironment } from "./job-environment.ts";
import type { JobFolder } from "./job-folder.ts";
import type { Materialiser } from "./materialise.ts";

export interface Preparation {
  readonly environments: Environments;
  readonly materialiser: Materialiser;
  readonly datastores: DatastoreResolver;
  readonly host: HostEnvironment;
}

export interface PreparedCommand {
  readonly command: string;
  readonly env: Record<string, string>;
}

/**
 * Readies `folder` for `execution`, dropping what an earlier try left there.
 * @throws DataAccessError, EnvironmentFailure, UnknownNameError; the signal's reason when it is aborted.
 */
export async function prepareJob(
  execution: JobExecution,
  folder: JobFolder,
  preparation: Preparation,
  signal: AbortSignal,
): Promise<PreparedCommand> {
  await resetFolder(execution, folder);
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  setMaxListeners(0, either);
  const parts = [
    prepareEnvironment(execution, folder, preparation.environments, either),
    materialiseInputs(execution, folder, preparation.materialiser, either),
    materialiseCode(execution, folder, preparation.materialiser, either),
  ] as const;
  let inputs: Record<string, string>;
  let binFolder: string;
  try {
    [binFolder, inputs] = await Promise.all(parts);
  } catch (error) {
    failing.abort();
    await Promise.allSettled(parts);
    throw error;
  }
  // Last, so that a file of the code cannot stand in their place.
  await Promise.all(["outputs", "logs"].map((name) => mkdir(`${folder.workFolder}/${name}`, { recursive: true })));
  const outputs = await makeOutputs(execution, folder, preparation.datastores);
  return {
    command: expandCommand(execution.command, { inputs, outputs }),
    env: toJobEnvironment({ execution, folder, binFolder, host: preparation.host, inputs, outputs }),
  };
}

async function resetFolder(execution: JobExecution, folder: JobFolder): Promise<void> {
  await rm(folder.root, { recursive: true, force: true });
  await mkdir(folder.workFolder, { recursive: true });
  await Promise.all([mkdir(folder.logFolder), mkdir(folder.dataFolder, { recursive: true })]);
  await writeFile(folder.executionRecord, fingerprint(execution));
}

/** What makes two executions the same job; tokens and endpoints of the service may differ from start to start. */
export function fingerprint({
  command,
  code,
  environment,
  inputs,
  outputs,
  environmentVariables,
}: JobExecution): string {
  return JSON.stringify([command, code, environment, inputs, outputs, environmentVariables]);
}

async function prepareEnvironment(
  { environment }: JobExecution,
  folder: JobFolder,
  environments: Environments,
  signal: AbortSignal,
): Promise<string> {
  let writing: Promise<unknown> = Promise.resolve();
  const onProgress = (line: string) => {
    writing = writing
      .then(() => mkdir(folder.systemLogFolder, { recursive: true }))
      .then(() => appendFile(folder.environmentLog, `${line}\n`))
      .catch(() => undefined);
  };
  try {
    // A job that is canceled leaves the build to whoever wants the environment next.
    const { binFolder } = await orAborted(environments.prepare(environment, onProgress), signal);
    return binFolder;
  } finally {
    await writing;
  }
}

async function materialiseInputs(
  { inputs }: JobExecution,
  folder: JobFolder,
  materialiser: Materialiser,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const values = Object.entries(inputs).map(async ([name, input]) => [
    name,
    await materialiser.materialiseInput(name, input, folder.inputFolder(name), signal),
  ]);
  return Object.fromEntries(await Promise.all(values));
}

async function materialiseCode(
  { code }: JobExecution,
  folder: JobFolder,
  materialiser: Materialiser,
  signal: AbortSignal,
): Promise<void> {
  if (code !== undefined) await materialiser.materialiseCode(code.uri, folder.workFolder, signal);
}

async function makeOutputs(
  { outputs }: JobExecution,
  folder: JobFolder,
  datastores: DatastoreResolver,
): Promise<Record<string, string>> {
  const values = Object.entries(outputs).map(async ([name, { type, uri, mode }]) => {
    if (mode === "Direct") return [name, uri];
    const path =
      type === "uri_file" ? outputFilePath(folder, name, datastores.resolve(uri).path) : folder.outputFolder(name);
    await mkdir(type === "uri_file" ? dirname(path) : path, { recursive: true });
    return [name, path];
  });
  return Object.fromEntries(await Promise.all(values));
}
