// A job as the workspace hands it to the executor, with only what a test is about spelled out.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobExecution, JobInput, JobOutput } from "#local/azureml/executor/contract.ts";

export function store(path: string): string {
  return `azureml://datastores/workspaceblobstore/paths/${path.split("/").map(encodeURIComponent).join("/")}`;
}

export function input(type: string, path: string, mode?: string): JobInput {
  return { type, uri: store(path), ...(mode === undefined ? {} : { mode }) };
}

export function output(type: string, path: string, mode = "ReadWriteMount"): JobOutput {
  return { type, uri: store(path), mode };
}

let count = 0;

export function job(command: string, rest: Partial<JobExecution> = {}): JobExecution {
  count += 1;
  return {
    jobName: `job_${count}`,
    experimentName: "test",
    experimentId: "00000000-0000-0000-0000-000000000001",
    command,
    environment: { name: "base", version: "1", image: "ubuntu" },
    inputs: {},
    outputs: {},
    environmentVariables: {},
    instanceCount: 1,
    serviceEnvironment: {},
    ...rest,
  };
}

export async function makeFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "mlpipe-executor-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Resolves once `probe` gives something. */
export async function until<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
