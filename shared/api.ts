// The HTTP contract: functions/http parses requests with these schemas, the OpenAPI document is made from them, and
// the command line reads answers with them.
import { z } from "zod";
import { IssueDocument } from "./domain/issue-document.ts";
import { NodeForecast, RunForecast } from "./domain/cost/forecast.ts";
import { mostUsd } from "./domain/cost/money.ts";
import { DatasetName } from "./domain/dataset/dataset.ts";
import {
  DatasetDocument,
  DatasetList,
  DatasetUploadAnswer,
  EventDocument,
  EventList,
  PutDatasetRequest,
  VersionDocument,
  VersionList,
} from "./domain/dataset/documents.ts";
import { Fate } from "./domain/dataset/fate.ts";
import {
  DeadLetterList,
  PutWebhookRequest,
  RotateSecretRequest,
  WebhookAnswer,
  WebhookDocument,
  WebhookList,
  WebhookTestAnswer,
} from "./domain/webhook/documents.ts";
import { DeadLetter } from "./domain/webhook/notification.ts";
import { WebhookName } from "./domain/webhook/webhook.ts";
import { NodeKindName } from "./domain/plan.ts";
import { InputValue } from "./domain/input-value.ts";
import {
  ApproveRequest,
  ModelDocument,
  ModelList,
  ModelName,
  ModelVersionDocument,
} from "./domain/promotion/documents.ts";
import { ResolvedAsset } from "./domain/resolved-asset.ts";
import { RetentionReport } from "./domain/retention.ts";
import { ScheduleDocument } from "./domain/schedule/schedule-document.ts";
import { ScheduleName } from "./domain/schedule/schedule.ts";
import { IngredientChange } from "./domain/ingredient-changes.ts";
import { NodeRun, ReusedFrom, RunDocument, RunId, RunSummary } from "./domain/run.ts";

/** Name of a pipeline deployed with the app: the file's name without `.yml`. */
export const PipelineName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/);

/** US dollars that a run may cost at most, over the pipeline's own cap. */
const MaxCost = z.number().positive().max(mostUsd);

const runOptions = {
  inputs: z.record(z.string(), InputValue).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  displayName: z.string().max(255).optional(),
  experimentName: z.string().max(255).optional(),
  /** Every node runs, whatever has been made before; what they make is remembered. */
  force: z.boolean().optional(),
  /** How long the run may take, over the pipeline's own limit. */
  timeoutSeconds: z.number().int().positive().optional(),
  maxCost: MaxCost.optional(),
};

/** A component's name, as Azure ML has it. */
export const ComponentName = z
  .string()
  .regex(/^[a-z][a-z\d_]{0,254}$/, "a lower-case letter, then letters, digits and `_`");

export const AssetVersion = z.string().regex(/^[A-Za-z0-9][\w.-]{0,254}$/, "letters, digits, `.`, `_` and `-`");

/** `PUT /api/components/{name}` and `PUT /api/pipelines/{name}`: a document that needs no file beside it. */
export const RegisterRequest = z.strictObject({ document: z.record(z.string(), z.unknown()) });

export const ComponentDocument = z.object({
  name: z.string(),
  version: z.string(),
  spec: z.record(z.string(), z.unknown()),
  createdTime: z.string().optional(),
  /** Of the same component, newest first. */
  versions: z.array(z.string()).optional(),
});
export type ComponentDocument = z.infer<typeof ComponentDocument>;

/** Where a list of names goes on: behind `after`, which `nextLink` sets. */
export const PageOfNames = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(300).optional(),
});

export const ComponentList = z.object({
  /** In the order of their names. */
  components: z.array(z.object({ name: z.string(), latestVersion: z.string().optional() })),
  nextLink: z.string().optional(),
});
export type ComponentList = z.infer<typeof ComponentList>;

/** Versions of one component or pipeline, newest first. */
export const AssetVersionList = z.object({
  name: z.string(),
  versions: z.array(z.object({ version: z.string(), createdTime: z.string().optional() })),
});
export type AssetVersionList = z.infer<typeof AssetVersionList>;

export const PipelineVersion = z.object({ name: z.string(), version: z.string(), createdTime: z.string() });
export type PipelineVersion = z.infer<typeof PipelineVersion>;

export const PipelineList = z.object({
  /** In the order of their names. */
  pipelines: z.array(
    z.object({
      name: z.string(),
      source: z.enum(["deployed", "registered"]),
      /** Of a registered one. */
      latestVersion: z.string().optional(),
    }),
  ),
  nextLink: z.string().optional(),
});
export type PipelineList = z.infer<typeof PipelineList>;

/** `POST /api/pipelines/{name}/runs`; `version` is that of a registered pipeline, the newest when absent. */
export const StartRunRequest = z.strictObject({ ...runOptions, version: AssetVersion.optional() });
export type StartRunRequest = z.infer<typeof StartRunRequest>;

/**
 * `POST /api/runs`: an inline pipeline. `pipeline` is a pipeline-job document (JSON, or its YAML text) that needs no
 * file beside it: components inline or registered, `code:` an upload or code asset URI, conda files as mappings or text.
 */
export const StartInlineRunRequest = z.strictObject({
  ...runOptions,
  pipeline: z.union([z.string(), z.record(z.string(), z.unknown())]),
});
export type StartInlineRunRequest = z.infer<typeof StartInlineRunRequest>;

/** `POST /api/plan`: a pipeline as a run takes it, inline or by the name of a deployed or registered one. */
export const PlanRequest = z
  .strictObject({
    ...runOptions,
    pipeline: StartInlineRunRequest.shape.pipeline.optional(),
    name: PipelineName.optional(),
    version: AssetVersion.optional(),
  })
  .refine(({ pipeline, name }) => (pipeline === undefined) !== (name === undefined), {
    path: ["pipeline"],
    message: "exactly one of `pipeline` and `name` is needed",
  })
  .refine(({ name, version }) => name !== undefined || version === undefined, {
    path: ["version"],
    message: "a version belongs to a `name`",
  });
export type PlanRequest = z.infer<typeof PlanRequest>;

export const CancelRequest = z.strictObject({ reason: z.string().max(500).optional() });

/** `POST /api/runs/{id}/rerun` */
export const RerunRequest = z.strictObject({
  /** `failed`, or the name of a node: it and everything after it runs, what has completed before it is taken over. */
  from: z.string().optional(),
  /** In place of the earlier run's values. */
  inputs: z.record(z.string(), InputValue).optional(),
  displayName: z.string().max(255).optional(),
  force: z.boolean().optional(),
  /** In place of the earlier run's cap. */
  maxCost: MaxCost.optional(),
});
export type RerunRequest = z.infer<typeof RerunRequest>;

/** A folder or file to store once by content. `hash` is that of shared/domain/snapshot.ts over `files`. */
export const UploadRequest = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  files: z.array(z.object({ path: z.string(), size: z.number().int().nonnegative(), sha256: z.string() })).max(20_000),
});
export type UploadRequest = z.infer<typeof UploadRequest>;

export const UploadAnswer = z.object({
  /** Use this as `code:` or as an input's `path:`. */
  uri: z.string(),
  /** Where to PUT each file as a block blob (`{url}/{path}?{sas}`); absent when the content is already there. */
  upload: z.object({ url: z.string(), sas: z.string(), expires: z.string() }).optional(),
});
export type UploadAnswer = z.infer<typeof UploadAnswer>;

export const RunList = z.object({ runs: z.array(RunSummary), nextLink: z.string().optional() });
export type RunList = z.infer<typeof RunList>;

export const MetricPoint = z.object({ value: z.number(), step: z.number(), timestamp: z.number() });
export const NodeMetrics = z.object({
  /** Metric name -> its points in the order they were logged. */
  metrics: z.record(z.string(), z.array(MetricPoint)),
  params: z.record(z.string(), z.string()),
});
export type NodeMetrics = z.infer<typeof NodeMetrics>;

export const OutputFile = z.object({
  path: z.string(),
  size: z.number(),
  lastModified: z.string(),
  contentType: z.string(),
});
export const OutputList = z.object({
  outputs: z.array(z.object({ output: z.string(), uri: z.string(), files: z.array(OutputFile) })),
});
export type OutputList = z.infer<typeof OutputList>;

/** `GET /api/runs/{id}/nodes/{node}/why` */
export const NodeExplanation = z.object({
  runId: RunId,
  node: z.string(),
  /** What became of it: `undecided` before its inputs are there. */
  decision: z.enum(["run", "reused", "undecided"]),
  /** In one line. */
  reason: z.string(),
  reusedFrom: ReusedFrom.optional(),
  /** The nearest earlier run of this node that completed. */
  comparedWith: ReusedFrom.extend({ endTime: z.string() }).optional(),
  /** What differs from it: ingredient by ingredient, files and lines where they can be told. */
  changes: z.array(IngredientChange),
});
export type NodeExplanation = z.infer<typeof NodeExplanation>;

export const PlannedNode = z.object({
  name: z.string(),
  kind: NodeKindName,
  component: z.string(),
  action: z.enum(["run", "reuse", "refuse"]),
  reason: z.string().optional(),
  reusedFrom: ReusedFrom.optional(),
  /** What it runs on, by its name; absent: serverless. */
  compute: z.string().optional(),
  instanceTypes: z.array(z.string()),
  dependsOn: z.array(z.string()),
  /** A literal as the program will see it, the place of data, or `node.output`. */
  inputs: z.record(z.string(), z.string()),
  /** Of a node that would run: what it took before, and its limits. */
  forecast: NodeForecast.optional(),
});
export const PlanAnswer = z.object({
  pipeline: z.string(),
  /** What the whole run would take and cost. */
  forecast: RunForecast.optional(),
  nodes: z.array(PlannedNode),
  /** What the names of registered things stand for now. */
  assets: z.array(ResolvedAsset).optional(),
  warnings: z.array(IssueDocument),
});
export type PlanAnswer = z.infer<typeof PlanAnswer>;

/** `PUT /api/schedules/{name}`: a schedule in Azure ML's own schema (JSON, or its YAML text) that needs no file beside it. */
export const PutScheduleRequest = z.strictObject({
  schedule: z.union([z.string(), z.record(z.string(), z.unknown())]),
});
export type PutScheduleRequest = z.infer<typeof PutScheduleRequest>;

export const ScheduleAnswer = ScheduleDocument.extend({ warnings: z.array(IssueDocument) });
export type ScheduleAnswer = z.infer<typeof ScheduleAnswer>;

export const ScheduleList = z.object({
  schedules: z.array(ScheduleDocument),
  /** What is wrong with the files of deployed schedules. */
  issues: z.array(IssueDocument),
});
export type ScheduleList = z.infer<typeof ScheduleList>;

/** RFC 9457. `code` is one of shared/errors.ts. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  instance: z.string().optional(),
  issues: z.array(IssueDocument).optional(),
  invocationId: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

export {
  DatasetDocument,
  DatasetList,
  DatasetName,
  DatasetUploadAnswer,
  EventDocument,
  EventList,
  Fate,
  PutDatasetRequest,
  VersionDocument,
  VersionList,
};
export {
  DeadLetter,
  DeadLetterList,
  PutWebhookRequest,
  RotateSecretRequest,
  WebhookAnswer,
  WebhookDocument,
  WebhookList,
  WebhookName,
  WebhookTestAnswer,
};
export { ApproveRequest, ModelDocument, ModelList, ModelName, ModelVersionDocument };
export { InputValue, NodeRun, RetentionReport, RunDocument, RunId, RunSummary, ScheduleDocument, ScheduleName };
