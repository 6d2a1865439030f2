// Starts a run of a pipeline of this machine or of a deployed one, everything it needs stored first.
import { randomUUID } from "node:crypto";
import type { RunDocument } from "#shared/domain/run.ts";
import type { Client } from "./client.ts";
import { type PreparedPipeline, storeReferences } from "./prepare-pipeline.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { createUploader } from "./store-files.ts";
import type { Terminal } from "./terminal.ts";

export interface Starting {
  /** A file that has been read, or the name of a deployed pipeline. */
  readonly pipeline: PreparedPipeline | string;
  /** Name -> value as typed. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly displayName?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Run every node, whatever has been made before. */
  readonly force?: boolean | undefined;
  /** How long the run may take. */
  readonly timeoutSeconds?: number | undefined;
}

/** @throws MlpipeError `InvalidRequest` with every issue; `NotFound` when no such pipeline is deployed. */
export async function startRun(terminal: Terminal, client: Client, starting: Starting): Promise<RunDocument> {
  // Without a key of the caller's, one of ours: the request is then safe to repeat when its answer is lost.
  const { pipeline, displayName, force, timeoutSeconds, idempotencyKey = randomUUID() } = starting;
  const store = createUploader(terminal, client);
  const inputs = await resolveInputs(
    starting.inputs,
    typeof pipeline === "string" ? undefined : pipeline.document,
    store,
  );
  const request = {
    inputs,
    ...(displayName === undefined ? {} : { displayName }),
    ...(force === undefined ? {} : { force }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  };
  if (typeof pipeline === "string") return client.startRun(pipeline, request, idempotencyKey);
  return client.startInlineRun({ ...request, pipeline: await storeReferences(pipeline, store) }, idempotencyKey);
}
