// Bodies of the MLflow REST API that this workspace takes: https://mlflow.org/docs/latest/rest-api.html
import { z } from "zod";

/** int64 comes as a number or as text. */
const int64 = z.union([z.int(), z.string().regex(/^-?\d+$/)]).transform(Number);
/** Doubles that JSON has no number for come as text. */
const double = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]).transform(Number);
const key = z.string().min(1).max(250);

export const Metric = z.object({
  key,
  value: double,
  timestamp: int64,
  step: int64.default(0),
});
export const Param = z.object({ key, value: z.string().max(6000) });
export const Tag = z.object({ key, value: z.string().max(5000) });

/** `run_uuid` is the old name that every client still sends beside the new one. */
const runId = z.object({ run_id: z.string().min(1).optional(), run_uuid: z.string().min(1).optional() });
export const RunReference = runId.transform((body, context) => {
  const id = body.run_id ?? body.run_uuid;
  if (id !== undefined) return id;
  context.addIssue({ code: "custom", path: ["run_id"], message: "is missing" });
  return z.NEVER;
});

export const CreateRun = z.object({
  experiment_id: z.string().default("0"),
  user_id: z.string().default(""),
  run_name: z.string().optional(),
  start_time: int64.optional(),
  tags: z.array(Tag).default([]),
});
const runStatuses = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] as const;
export const UpdateRun = z.object({
  status: z.enum(runStatuses).optional(),
  end_time: int64.optional(),
  run_name: z.string().optional(),
});
// Limits: https://mlflow.org/docs/latest/rest-api.html#request-limits
export const LogBatch = z
  .object({
    metrics: z.array(Metric).max(1000, "at most 1000 metrics").default([]),
    params: z.array(Param).max(100, "at most 100 params").default([]),
    tags: z.array(Tag).max(100, "at most 100 tags").default([]),
  })
  .refine(
    ({ metrics, params, tags }) => metrics.length + params.length + tags.length <= 1000,
    "at most 1000 items in all",
  );
export const LogInputs = z.object({ datasets: z.array(z.looseObject({})).default([]) });
export const LogModel = z.object({ model_json: z.string() });
export const SearchRuns = z.object({
  experiment_ids: z.array(z.string()).default([]),
  filter: z.string().default(""),
  run_view_type: z.enum(["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]).default("ACTIVE_ONLY"),
  max_results: int64.default(1000),
  order_by: z.array(z.string()).default([]),
  page_token: z.string().optional(),
});
export const CreateExperiment = z.object({ name: z.string().min(1).max(500), tags: z.array(Tag).default([]) });

export type Metric = z.infer<typeof Metric>;
export type Param = z.infer<typeof Param>;
export type Tag = z.infer<typeof Tag>;
export type RunStatus = (typeof runStatuses)[number];
