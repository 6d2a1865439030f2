// What the functions' bodies are given. Built once, in main.ts.
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import type { Log } from "#shared/log.ts";
import type { Plans } from "#shared/plans.ts";
import type { Assets } from "./assets.ts";
import type { JobLogs } from "./job-logs.ts";
import type { Pipelines } from "./pipelines.ts";
import type { RunDocuments } from "./run-documents.ts";
import type { StartRun } from "./start-run.ts";

export interface App {
  readonly ml: Ml;
  readonly blobs: Blobs;
  readonly log: Log;
  readonly plans: Plans;
  readonly assets: Assets;
  readonly logs: JobLogs;
  readonly pipelines: Pipelines;
  readonly runs: RunDocuments;
  readonly startRun: StartRun;
}
