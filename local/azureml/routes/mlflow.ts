// MLflow's tracking API, below any of its roots: https://mlflow.org/docs/latest/rest-api.html
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { toExperimentAnswer, toMetricAnswer, toRunAnswer, toRunInfo } from "../mlflow-answer.ts";
import { MlflowError } from "../mlflow-error.ts";
import * as schema from "../mlflow-schema.ts";
import { parseFilter, parseOrder } from "../mlflow-search.ts";
import type { Experiment } from "../mlflow.ts";
import { readJson, type Answer, type Caller, type Method, type Route, type RouteRequest } from "../route.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

const maxBatchBytes = 1024 * 1024;

function parse<T>(type: z.ZodType<T>, value: unknown): T {
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".")} ${message}`.trim());
  throw new MlflowError("INVALID_PARAMETER_VALUE", `Invalid value: ${issues.join("; ")}`);
}

function decodeToken(token: string | null | undefined): number {
  const offset =
    token === null || token === undefined || token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(offset) || offset < 0) throw new MlflowError("INVALID_PARAMETER_VALUE", "Invalid page_token");
  return offset;
}
const encodeToken = (offset: number) => Buffer.from(String(offset)).toString("base64url");

/** A job's token writes to the job's own run and to runs it made. */
export function checkWriter(tracking: WorkspaceContext["tracking"], caller: Caller, runId: string): void {
  if (caller.kind === "owner") return;
  const { owner } = tracking.run(runId);
  if (owner !== caller.jobName) {
    throw new MlflowError("PERMISSION_DENIED", `The token of job ${caller.jobName} may not write to run ${runId}.`);
  }
}

export function createMlflowRoutes({ tracking }: Pick<WorkspaceContext, "tracking">): Route[] {
  type Body = Record<string, unknown>;
  const get = (path: string, answer: (query: URLSearchParams) => unknown): Route => ({
    name: `mlflow.${path}`,
    method: "GET",
    path: `/mlflow/${path}`,
    handle: ({ query }) => ({ status: 200, body: answer(query) }),
  });
  const send = (
    path: string,
    answer: (body: Body, request: RouteRequest) => unknown,
    method: Method = "POST",
  ): Route => ({
    name: `mlflow.${path}`,
    method,
    path: `/mlflow/${path}`,
    async handle(request): Promise<Answer> {
      return { status: 200, body: answer(await readJson(request, maxBatchBytes), request) };
    },
  });
  /** A write to the run the body names, by someone who may. */
  const write = (path: string, answer: (runId: string, body: Body) => unknown): Route =>
    send(path, (body, { caller }) => {
      const runId = parse(schema.RunReference, body);
      checkWriter(tracking, caller, runId);
      return answer(runId, body) ?? {};
    });

  const runAnswer = (runId: string) => ({ run: toRunAnswer(tracking.run(runId), tracking.data(runId)) });
  const experimentAnswer = (experiment: Experiment | undefined, name: string) => {
    if (experiment === undefined) throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `Could not find experiment ${name}`);
    return { experiment: toExperimentAnswer(experiment) };
  };
  const allExperiments = () => ({ experiments: tracking.experiments().map(toExperimentAnswer) });

  return [
    send("runs/create", (body, { caller }) => {
      const sent = parse(schema.CreateRun, body);
      const experiment =
        sent.experiment_id === "0"
          ? tracking.ensureExperiment("Default")
          : tracking.findExperiment({ experimentId: sent.experiment_id });
      if (experiment === undefined)
        throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `Could not find experiment with ID ${sent.experiment_id}`);
      const runId = randomUUID();
      const named = sent.tags.find(({ key }) => key === "mlflow.runName")?.value;
      tracking.createRun({
        runId,
        experimentId: experiment.experimentId,
        runName: sent.run_name ?? named ?? runId,
        userId: sent.user_id,
        tags: sent.tags,
        ...(sent.start_time === undefined ? {} : { startMs: sent.start_time }),
        ...(caller.kind === "job" ? { owner: caller.jobName } : {}),
      });
      return runAnswer(runId);
    }),
    get("runs/get", (query) => runAnswer(parse(schema.RunReference, Object.fromEntries(query)))),
    write("runs/update", (runId, body) => {
      const { status, end_time: endMs, run_name: runName } = parse(schema.UpdateRun, body);
      return { run_info: toRunInfo(tracking.updateRun(runId, { status, endMs, runName })) };
    }),
    write("runs/delete", (runId) => tracking.setDeleted(runId, true)),
    write("runs/restore", (runId) => tracking.setDeleted(runId, false)),
    write("runs/log-metric", (runId, body) => tracking.log(runId, { metrics: [parse(schema.Metric, body)] })),
    write("runs/log-parameter", (runId, body) => tracking.log(runId, { params: [parse(schema.Param, body)] })),
    write("runs/set-tag", (runId, body) => tracking.log(runId, { tags: [parse(schema.Tag, body)] })),
    write("runs/delete-tag", (runId, body) =>
      tracking.deleteTag(runId, parse(z.object({ key: z.string() }), body).key),
    ),
    write("runs/log-batch", (runId, body) => tracking.log(runId, parse(schema.LogBatch, body))),
    write("runs/log-inputs", (runId, body) => tracking.logDatasets(runId, parse(schema.LogInputs, body).datasets)),
    write("runs/log-model", (runId, body) => {
      const history = "mlflow.log-model.history";
      const model: unknown = JSON.parse(parse(schema.LogModel, body).model_json);
      const before: unknown = JSON.parse(tracking.data(runId).tags.find(({ key }) => key === history)?.value ?? "[]");
      tracking.log(runId, {
        tags: [{ key: history, value: JSON.stringify([...(Array.isArray(before) ? before : []), model]) }],
      });
    }),
    send("runs/search", (body) => {
      const sent = parse(schema.SearchRuns, body);
      const [isMatch, order] = [parseFilter(sent.filter), parseOrder(sent.order_by)];
      const offset = decodeToken(sent.page_token);
      const found = tracking
        .runs(sent.experiment_ids)
        .filter(
          ({ isDeleted }) => sent.run_view_type === "ALL" || isDeleted === (sent.run_view_type === "DELETED_ONLY"),
        )
        .map((run) => ({ run, data: tracking.data(run.runId) }))
        .filter(isMatch)
        .toSorted(order);
      const end = offset + Math.min(Math.max(sent.max_results, 1), 50_000);
      return {
        runs: found.slice(offset, end).map(({ run, data }) => toRunAnswer(run, data)),
        ...(end < found.length ? { next_page_token: encodeToken(end) } : {}),
      };
    }),
    get("metrics/get-history", (query) => {
      const runId = parse(schema.RunReference, Object.fromEntries(query));
      const key = parse(z.string({ error: "metric_key is missing" }), query.get("metric_key"));
      const limit = Number(query.get("max_results") ?? 25_000);
      tracking.run(runId);
      const points = tracking.history(runId, key, decodeToken(query.get("page_token")), limit);
      const last = points.length === limit ? points.at(-1) : undefined;
      return {
        metrics: points.map(toMetricAnswer),
        ...(last === undefined ? {} : { next_page_token: encodeToken(last.id) }),
      };
    }),
    get("experiments/get", (query) => {
      const experimentId = query.get("experiment_id") ?? "";
      return experimentAnswer(tracking.findExperiment({ experimentId }), experimentId);
    }),
    get("experiments/get-by-name", (query) => {
      const name = query.get("experiment_name") ?? "";
      return experimentAnswer(tracking.findExperiment({ name }), name);
    }),
    send("experiments/create", (body) => {
      const { name, tags } = parse(schema.CreateExperiment, body);
      if (tracking.findExperiment({ name }) !== undefined) {
        throw new MlflowError("RESOURCE_ALREADY_EXISTS", `Experiment '${name}' already exists.`);
      }
      return { experiment_id: tracking.ensureExperiment(name, tags).experimentId };
    }),
    send("experiments/search", allExperiments),
    get("experiments/search", allExperiments),
    get("experiments/list", allExperiments),
  ];
}
