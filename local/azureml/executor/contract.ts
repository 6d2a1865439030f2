// What the workspace (which keeps jobs and their statuses) and the executor (which runs processes) agree on.
import type { ContainerClient } from "@azure/storage-blob";

/** One data or literal input of a job, as it was PUT; `mode` carries the REST name. */
export interface JobInput {
  /** `literal`, `uri_file`, `uri_folder`, `mltable`, `custom_model`, `mlflow_model`, `triton_model`. */
  readonly type: string;
  /** Text of a literal, pasted into the command as it is. */
  readonly value?: string;
  /** A datastore (short or long form), https, wasbs or abfss URI; asset and job references are already resolved to one of these. */
  readonly uri?: string;
  /** `ReadOnlyMount` (when absent), `ReadWriteMount`, `Download`, `Direct`, `EvalMount`, `EvalDownload`. */
  readonly mode?: string;
}

export interface JobOutput {
  readonly type: string;
  /** Always `azureml://datastores/{datastore}/paths/{path}`, service macros expanded. */
  readonly uri: string;
  /** `ReadWriteMount`, `Upload` or `Direct`. */
  readonly mode: string;
}

export interface JobEnvironment {
  readonly name: string;
  readonly version: string;
  readonly image?: string;
  /** Text of the conda file (YAML or JSON), not a path. */
  readonly condaFile?: string;
}

export interface JobExecution {
  readonly jobName: string;
  readonly experimentName: string;
  readonly experimentId: string;
  /** A bash script as it was PUT, `${{inputs.x}}` and `${{outputs.x}}` still in it. */
  readonly command: string;
  /** `codeUri` of the code version: https (or loopback http) folder URL, or a datastore URI. */
  readonly code?: { readonly uri: string };
  readonly environment: JobEnvironment;
  readonly inputs: Readonly<Record<string, JobInput>>;
  readonly outputs: Readonly<Record<string, JobOutput>>;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly instanceType?: string;
  readonly instanceCount: number;
  /** As PUT: `{ distributionType, processCountPerInstance, ... }`. */
  readonly distribution?: Readonly<Record<string, unknown>>;
  /** From `limits.timeout`; counted from the start of the user's process. */
  readonly timeoutSeconds?: number;
  /** `AZUREML_*` and `MLFLOW_*` the service sets; paths of inputs, outputs and the work folder are the executor's to add. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
}

export type JobPhase = "Preparing" | "Running" | "Finalizing";

export type JobEnd =
  | { readonly status: "Completed"; readonly exitCode: 0 }
  /** `code` names the cause: `UserError`, `ImageBuildFailure`, `DataAccess`, ... */
  | {
      readonly status: "Failed";
      readonly exitCode?: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly status: "Canceled"; readonly reason: "cancel" | "timeout" };

export interface Executor {
  /**
   * Runs a job to its end and calls `onPhase` in order. Called again with the same execution after a restart of this
   * process: finds the live or finished process by its own records, else starts over.
   */
  run(execution: JobExecution, onPhase: (phase: JobPhase) => void): Promise<JobEnd>;
  /** Why jobs can never have an environment on this machine, in a sentence; undefined when nothing is known against it. */
  findFault(environment: Pick<JobEnvironment, "condaFile">): Promise<string | undefined>;
  /** Kills the job's whole process tree; its `run` then resolves `Canceled`. Without effect on a job it does not run. */
  cancel(jobName: string): Promise<void>;
  /** Graceful stop: kills process trees and leaves records from which `run` starts them over next time. Pending `run`s never resolve. */
  stop(): Promise<void>;
}

export interface DatastoreResolver {
  /**
   * Place of a URI in a datastore: short and long `azureml://` forms, artifact roots (no `paths`), and https, wasbs or abfss
   * URLs of an account and container that a datastore names. `path` is decoded, without a leading slash; a trailing one is kept.
   * @throws MlpipeError `InvalidRequest` when no datastore of the workspace holds it.
   */
  resolve(uri: string): { readonly datastore: string; readonly path: string };
  /**
   * Where an https, wasbs or abfss URL of blob storage lies that no datastore holds, for whoever may read it without an
   * account; undefined for any other address. @throws MlpipeError `InvalidRequest` when its path climbs out of its folder
   */
  publicPlace(uri: string): { readonly container: ContainerClient; readonly path: string } | undefined;
  /** Client with the datastore's own credentials. @throws MlpipeError `NotFound` for an unknown datastore. */
  client(datastore: string): ContainerClient;
}

export interface ExecutorOptions {
  /** Records and work folders of jobs; survives restarts. */
  readonly stateFolder: string;
  /** Python environments and code snapshots; may be shared by several stacks. */
  readonly cacheFolder: string;
  readonly datastores: DatastoreResolver;
  /** Fetches an input that is not in a datastore (an https URL); the global `fetch` when absent. */
  readonly fetchInput?: (url: string, signal: AbortSignal) => Promise<Response>;
  readonly log: (level: "debug" | "info" | "warn" | "error", fields: Record<string, unknown>, text: string) => void;
  /** Jobs whose user process may run at once; the workspace keeps to it too. */
  readonly maxConcurrent?: number;
}

/** Made by `executor.ts` beside this file. */
export type CreateExecutor = (options: ExecutorOptions) => Executor;
