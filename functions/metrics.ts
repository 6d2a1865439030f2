// A job's metrics and parameters, from the workspace's MLflow tracking API (REST API of MLflow, `runs/get` and `metrics/get-history`).
import { z } from "zod";
import type { NodeMetrics } from "#shared/api.ts";
import type { Ml } from "#shared/azure/ml.ts";

const Int64 = z.coerce.number();
/** NaN and the infinities travel as text, which JSON numbers cannot be. */
const Value = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)]);
const Metric = z.object({
  key: z.string(),
  value: Value,
  timestamp: Int64,
  step: Int64.default(0),
});
const Run = z.object({
  run: z.object({
    data: z
      .object({
        metrics: z.array(Metric).default([]),
        params: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
      })
      .default({ metrics: [], params: [] }),
  }),
});
const History = z.object({
  metrics: z.array(Metric).default([]),
  next_page_token: z.string().optional(),
});

/** @returns nothing logged when the job has no MLflow run yet */
export async function readMetrics(ml: Ml, jobName: string): Promise<NodeMetrics> {
  const answer = await ml.mlflow(`runs/get?${new URLSearchParams({ run_id: jobName }).toString()}`);
  if (answer === undefined) return { metrics: {}, params: {} };
  const { data } = Run.parse(answer).run;
  const histories = await Promise.all(
    data.metrics.map(async ({ key }) => [key, await readHistory(ml, jobName, key)] as const),
  );
  return {
    metrics: Object.fromEntries(histories),
    params: Object.fromEntries(data.params.map(({ key, value }) => [key, value])),
  };
}

/** The last value of each metric, NaN and the infinities among them; empty when the job has no MLflow run. */
export async function readLastValues(ml: Ml, jobName: string): Promise<Map<string, number>> {
  const answer = await ml.mlflow(`runs/get?${new URLSearchParams({ run_id: jobName }).toString()}`);
  const metrics = answer === undefined ? [] : Run.parse(answer).run.data.metrics;
  return new Map(metrics.map(({ key, value }) => [key, value]));
}

/** Every finite value of one metric, in the order they were logged. */
export async function readHistory(ml: Ml, jobName: string, key: string): Promise<NodeMetrics["metrics"][string]> {
  const answer = await ml.mlflow(
    `metrics/get-history?${new URLSearchParams({ run_id: jobName, metric_key: key }).toString()}`,
  );
  const { metrics } = History.parse(answer ?? {});
  return metrics
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, step, timestamp }) => ({ value, step, timestamp }));
}
