// What the functions' bodies are given. Built once, in main.ts.
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import type { Models } from "#shared/azure/models.ts";
import type { Prices } from "#shared/domain/cost/prices.ts";
import type { Concurrency } from "#shared/domain/concurrency.ts";
import type { Records } from "#shared/azure/records.ts";
import type { RetentionPolicy } from "#shared/domain/retention.ts";
import type { Log } from "#shared/log.ts";
import type { Plans } from "#shared/plans.ts";
import type { Admission } from "./admission.ts";
import type { Assets } from "./assets.ts";
import type { CostLedgers } from "./cost/cost-ledgers.ts";
import type { Durations } from "./cost/durations.ts";
import type { DatasetArrivals } from "./dataset-arrivals.ts";
import type { DatasetVersions } from "./dataset-versions.ts";
import type { Datasets } from "./datasets.ts";
import type { DeployedSchedules } from "./deployed-schedules.ts";
import type { EventLog } from "./event-log.ts";
import type { JobLogs } from "./job-logs.ts";
import type { OutputText } from "./output-text.ts";
import type { Pipelines } from "./pipelines.ts";
import type { RegistryRoom } from "./registry.ts";
import type { Approvals } from "./promotion/approvals.ts";
import type { RunDocuments } from "./run-documents.ts";
import type { DataIdentities } from "./reuse/data-identities.ts";
import type { NodeMemory } from "./reuse/node-memory.ts";
import type { Reuse } from "./reuse/reuse.ts";
import type { RunArchive } from "./retention/run-archive.ts";
import type { Schedules } from "./schedules.ts";
import type { Slots } from "./slots.ts";
import type { StartRun } from "./start-run.ts";
import type { DeadLetters } from "./webhooks/dead-letters.ts";
import type { AddressGuard } from "./webhooks/guard-address.ts";
import type { Notifications } from "./webhooks/notifications.ts";
import type { Webhooks } from "./webhooks/webhooks.ts";

export interface App {
  readonly ml: Ml;
  readonly blobs: Blobs;
  readonly log: Log;
  readonly plans: Plans;
  readonly assets: Assets;
  readonly readOutputText: OutputText;
  readonly logs: JobLogs;
  readonly pipelines: Pipelines;
  readonly registry: RegistryRoom;
  readonly runs: RunDocuments;
  readonly admission: Admission;
  readonly startRun: StartRun;
  readonly slots: Slots;
  /** Registered models. */
  readonly models: Models;
  /** Answers of people whom runs have asked. */
  readonly approvals: Approvals;
  /** Limits for all runs together. */
  readonly concurrency: Concurrency;
  /** What machines cost. */
  readonly prices: Prices;
  readonly costs: CostLedgers;
  readonly durations: Durations;
  /** Tells this app's jobs from those of another on the same workspace. */
  readonly deployment: string | undefined;
  /** What data is. */
  readonly data: DataIdentities;
  readonly memory: NodeMemory;
  readonly reuse: Reuse;
  readonly records: Records;
  readonly archive: RunArchive;
  /** What is kept for how long. */
  readonly retention: RetentionPolicy;
  /** Where registered models and data assets lie. */
  readonly registeredPlaces: () => AsyncIterable<string>;
  readonly schedules: Schedules;
  readonly deployedSchedules: DeployedSchedules;
  /** Absolute. */
  readonly schedulesFolder: string;
  readonly datasets: Datasets;
  readonly versions: DatasetVersions;
  readonly arrivals: DatasetArrivals;
  readonly events: EventLog;
  readonly webhooks: Webhooks;
  readonly deadLetters: DeadLetters;
  readonly notifications: Notifications;
  /** Which addresses webhooks may reach. */
  readonly guard: AddressGuard;
  /** How long entries of the event record are kept. */
  readonly eventDays: number;
}
