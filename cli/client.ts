// The HTTP API as typed calls: a method per route, answers read with the schemas that the app answers by.
import {
  AssetVersionList,
  ComponentDocument,
  ComponentList,
  NodeExplanation,
  NodeMetrics,
  NodeRun,
  OutputList,
  PipelineList,
  PipelineVersion,
  PlanAnswer,
  RetentionReport,
  RunDocument,
  RunList,
  ScheduleAnswer,
  ScheduleDocument,
  ScheduleList,
  UploadAnswer,
  type RerunRequest,
  type PlanRequest,
  type StartInlineRunRequest,
  type StartRunRequest,
  type UploadRequest,
} from "#shared/api.ts";
import { type Call, type ServerAddress, createCaller } from "./call-api.ts";
import { createDatasetCalls } from "./dataset-calls.ts";
import { createModelCalls } from "./model-calls.ts";
import { readPages } from "./read-pages.ts";
import { createWebhookCalls } from "./webhook-calls.ts";

export interface RunQuery {
  readonly limit?: number;
  readonly status?: string;
  readonly pipeline?: string;
}

export interface Waiting {
  readonly waitSeconds: number;
  readonly signal?: AbortSignal;
}

export interface LogChunk {
  readonly bytes: Uint8Array;
  /** Offset of the first byte that has not been read. */
  readonly nextOffset: number;
  readonly isComplete: boolean;
}

export type Client = ReturnType<typeof createClient>;

const longestDownloadSeconds = 24 * 3600;

/** @throws MlpipeError from every call, as call-api.ts says. */
export function createClient(address: ServerAddress) {
  const caller = createCaller(address);
  const { base, call, read, parse, readBytes } = caller;
  const runPath = (runId: string) => `/runs/${encodeURIComponent(runId)}`;
  const schedulePath = (name: string) => `/schedules/${encodeURIComponent(name)}`;
  const nodePath = (runId: string, node: string) => `${runPath(runId)}/nodes/${encodeURIComponent(node)}`;

  return {
    url: base,

    ...createDatasetCalls(caller),
    ...createModelCalls(caller),
    ...createWebhookCalls(caller),

    startRun: (pipeline: string, request: StartRunRequest, idempotencyKey: string) =>
      read(RunDocument, `/pipelines/${encodeURIComponent(pipeline)}/runs`, starting(request, idempotencyKey)),

    startInlineRun: (request: StartInlineRunRequest, idempotencyKey: string) =>
      read(RunDocument, "/runs", starting(request, idempotencyKey)),

    plan: (request: PlanRequest) => read(PlanAnswer, "/plan", { method: "POST", body: request, isRepeatable: true }),

    listRuns: (query: RunQuery) => read(RunList, `/runs?${toQuery(query)}`),

    getRun: (runId: string) => read(RunDocument, runPath(runId)),

    /** The document as soon as it is another than that of `etag`; undefined when it stayed the same for `waitSeconds`. */
    async waitForRun(runId: string, etag: string | undefined, { waitSeconds, signal }: Waiting) {
      const wait = etag === undefined ? 0 : waitSeconds;
      const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
      const response = await call(`${runPath(runId)}?wait=${wait}`, { headers, waitSeconds: wait, signal });
      if (response.status === 304) return undefined;
      return { document: await parse(RunDocument, response), etag: response.headers.get("etag") ?? undefined };
    },

    /** The run as it is after the order, which it may outlive for a while. */
    cancelRun: (runId: string, reason: string | undefined) =>
      read(RunDocument, `${runPath(runId)}/cancel`, {
        method: "POST",
        body: reason === undefined ? {} : { reason },
        isRepeatable: true,
      }),

    putComponent: (name: string, version: string | undefined, document: Record<string, unknown>) =>
      read(ComponentDocument, `/components/${encodeURIComponent(name)}${ofVersion(version)}`, {
        method: "PUT",
        body: { document },
        isRepeatable: true,
      }),

    listComponents: () =>
      readPages(async (query) => {
        const { components, nextLink } = await read(ComponentList, `/components${query}`);
        return { items: components, nextLink };
      }),

    listComponentVersions: (name: string) => read(AssetVersionList, `/components/${encodeURIComponent(name)}/versions`),

    getComponent: (name: string, version: string | undefined) =>
      read(ComponentDocument, `/components/${encodeURIComponent(name)}${ofVersion(version)}`),

    putPipeline: (name: string, version: string | undefined, document: Record<string, unknown>) =>
      read(PipelineVersion, `/pipelines/${encodeURIComponent(name)}${ofVersion(version)}`, {
        method: "PUT",
        body: { document },
        isRepeatable: true,
      }),

    listPipelines: () =>
      readPages(async (query) => {
        const { pipelines, nextLink } = await read(PipelineList, `/pipelines${query}`);
        return { items: pipelines, nextLink };
      }),

    listPipelineVersions: (name: string) => read(AssetVersionList, `/pipelines/${encodeURIComponent(name)}/versions`),

    getPipelineText: async (name: string, version: string | undefined) =>
      (await call(`/pipelines/${encodeURIComponent(name)}${ofVersion(version)}`)).text(),

    getRetention: () => read(RetentionReport, "/retention"),

    applyRetention: () => read(RetentionReport, "/retention", { method: "POST", isRepeatable: true }),

    putSchedule: (name: string, schedule: Readonly<Record<string, unknown>>) =>
      read(ScheduleAnswer, schedulePath(name), { method: "PUT", body: { schedule } }),

    listSchedules: () => read(ScheduleList, "/schedules"),

    getSchedule: (name: string, count: { next: number; fires: number }) =>
      read(ScheduleDocument, `${schedulePath(name)}?next=${count.next}&fires=${count.fires}`),

    pauseSchedule: (name: string) =>
      read(ScheduleDocument, `${schedulePath(name)}/pause`, { method: "POST", isRepeatable: true }),

    resumeSchedule: (name: string) =>
      read(ScheduleDocument, `${schedulePath(name)}/resume`, { method: "POST", isRepeatable: true }),

    runSchedule: (name: string, idempotencyKey: string) =>
      read(RunDocument, `${schedulePath(name)}/run`, starting({}, idempotencyKey)),

    deleteSchedule: async (name: string): Promise<void> => {
      // Sent again, it would find nothing left to delete.
      await call(schedulePath(name), { method: "DELETE", isRepeatable: false });
    },

    rerun: (runId: string, request: RerunRequest, idempotencyKey: string) =>
      read(RunDocument, `${runPath(runId)}/rerun`, starting(request, idempotencyKey)),

    getNode: (runId: string, node: string) => read(NodeRun, nodePath(runId, node)),

    /** The job's log from byte `from` on; waits up to `waitSeconds` when there is nothing new yet. */
    async readLog(runId: string, node: string, from: number, { waitSeconds, signal }: Waiting): Promise<LogChunk> {
      const response = await call(`${nodePath(runId, node)}/logs?from=${from}&wait=${waitSeconds}`, {
        waitSeconds,
        signal,
      });
      const bytes = await readBytes(response);
      const nextOffset = Number(response.headers.get("x-mlpipe-next-offset") ?? from + bytes.byteLength);
      return { bytes, nextOffset, isComplete: response.headers.get("x-mlpipe-log-complete") === "true" };
    },

    getMetrics: (runId: string, node: string, signal?: AbortSignal) =>
      read(NodeMetrics, `${nodePath(runId, node)}/metrics`, { signal }),

    explainNode: (runId: string, node: string) => read(NodeExplanation, `${nodePath(runId, node)}/why`),

    listOutputs: (runId: string, node: string) => read(OutputList, `${nodePath(runId, node)}/outputs`),

    /** One file of an output from byte `from` on, as a stream. */
    openOutput: (runId: string, node: string, output: string, path: string, from: number) =>
      call(`${nodePath(runId, node)}/outputs/${[output, ...path.split("/")].map(encodeURIComponent).join("/")}`, {
        headers: from === 0 ? {} : { range: `bytes=${from}-` },
        waitSeconds: longestDownloadSeconds,
      }),

    requestUpload: (request: UploadRequest) =>
      read(UploadAnswer, "/uploads", { method: "POST", body: request, isRepeatable: true }),
  };
}

function toQuery(query: RunQuery): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join("&");
}

/** The key makes it harmless to send the request again. */
function starting(body: unknown, idempotencyKey: string): Call {
  return { method: "POST", body, headers: { "idempotency-key": idempotencyKey }, isRepeatable: true };
}

function ofVersion(version: string | undefined): string {
  return version === undefined ? "" : `?version=${encodeURIComponent(version)}`;
}
