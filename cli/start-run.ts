// Starts a run of a pipeline of this machine or of a deployed one, everything it needs stored first.
import { randomUUID } from "node:crypto";
import type { RunDocument } from "#shared/domain/run.ts";
import type { AssetWord } from "./asset-word.ts";
import type { Client } from "./client.ts";
import { readNamedInputs } from "./named-inputs.ts";
import { explainRefusals } from "./explain-refusals.ts";
import { placeIssues } from "./place-issues.ts";
import { type PreparedPipeline, storeReferences } from "./prepare-pipeline.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { createUploader } from "./store-files.ts";
import type { Terminal } from "./terminal.ts";

export interface Starting {
  /** A file that has been read, or a pipeline of the server. */
  readonly pipeline: PreparedPipeline | AssetWord;
  /** Name -> value as typed. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly displayName?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Run every node, whatever has been made before. */
  readonly force?: boolean | undefined;
  /** How long the run may take. */
  readonly timeoutSeconds?: number | undefined;
  /** US dollars the run may cost. */
  readonly maxCost?: number | undefined;
}

/** @throws MlpipeError `InvalidRequest` with every issue; `NotFound` when no such pipeline is deployed. */
export async function startRun(terminal: Terminal, client: Client, starting: Starting): Promise<RunDocument> {
  // Without a key of the caller's, one of ours: the request is then safe to repeat when its answer is lost.
  const { pipeline, displayName, force, timeoutSeconds, maxCost, idempotencyKey = randomUUID() } = starting;
  if ("document" in pipeline && pipeline.refusals.length > 0)
    throw await explainRefusals(client, pipeline, starting.inputs);
  const store = createUploader(terminal, client);
  const inputs = await resolveInputs(
    starting.inputs,
    "document" in pipeline ? pipeline.document : await readNamedInputs(client, pipeline, starting.inputs),
    store,
  );
  const request = {
    inputs,
    ...(displayName === undefined ? {} : { displayName }),
    ...(force === undefined ? {} : { force }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(maxCost === undefined ? {} : { maxCost }),
  };
  if (!("document" in pipeline)) {
    const { name, version } = pipeline;
    return client.startRun(name, { ...request, ...(version === undefined ? {} : { version }) }, idempotencyKey);
  }
  const stored = await storeReferences(pipeline, store);
  return client.startInlineRun({ ...request, pipeline: stored }, idempotencyKey).catch((error: unknown) => {
    throw placeIssues(error, pipeline.document);
  });
}
