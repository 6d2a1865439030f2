import { OrchestrationRuntimeStatus } from "durable-functions";
import { z } from "zod";
import { PipelineName, RunList } from "#shared/api.ts";
import { RunStatus } from "#shared/domain/run.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { toSummary } from "../run-documents.ts";

/** Runs are looked for in ever longer stretches of the past, newest first, until a page is full. */
const stretchesInHours = [1, 6, 24, 24 * 7, 24 * 30, 24 * 365 * 10];

/** What the instance's own status says of the run's; completed instances hold failed and canceled runs too. */
const runtimeStatuses: Record<RunStatus, OrchestrationRuntimeStatus[]> = {
  queued: [OrchestrationRuntimeStatus.Pending],
  running: [
    OrchestrationRuntimeStatus.Running,
    OrchestrationRuntimeStatus.ContinuedAsNew,
    OrchestrationRuntimeStatus.Suspended,
  ],
  completed: [OrchestrationRuntimeStatus.Completed],
  failed: [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed],
  canceled: [
    OrchestrationRuntimeStatus.Completed,
    OrchestrationRuntimeStatus.Terminated,
    OrchestrationRuntimeStatus.Canceled,
  ],
};

export const listRuns = (_app: App) =>
  defineRoute(
    {
      name: "listRuns",
      method: "GET",
      path: "runs",
      summary: "List runs, newest first",
      query: z.object({
        limit: z.coerce.number().int().min(1).max(200).default(20),
        status: RunStatus.optional(),
        pipeline: PipelineName.optional(),
        /** Only runs created before this time; `nextLink` sets it. */
        before: z.iso.datetime().optional(),
      }),
      answer: { status: 200, description: "A page of runs", schema: RunList },
    },
    async ({ query, client, origin }) => {
      const newest = query.before === undefined ? new Date(Date.now() + 60_000) : new Date(query.before);
      const found = new Map<string, ReturnType<typeof toSummary>>();
      let to = newest;
      for (const hours of stretchesInHours) {
        const from = new Date(newest.getTime() - hours * 3_600_000);
        const statuses = await client.getStatusBy({
          createdTimeFrom: from,
          createdTimeTo: to,
          ...(query.status === undefined ? {} : { runtimeStatus: runtimeStatuses[query.status] }),
        });
        for (const status of statuses) {
          if (status.name !== "runPipeline") continue;
          const summary = toSummary(status);
          if (query.before !== undefined && summary.createdTime >= query.before) continue;
          if (query.status !== undefined && summary.status !== query.status) continue;
          if (query.pipeline !== undefined && summary.pipeline !== query.pipeline) continue;
          found.set(summary.runId, summary);
        }
        if (found.size > query.limit) break;
        to = from;
      }
      const sorted = [...found.values()].toSorted((a, b) => b.createdTime.localeCompare(a.createdTime));
      const runs = sorted.slice(0, query.limit);
      const last = runs.at(-1);
      if (sorted.length <= query.limit || last === undefined) return json(200, { runs } satisfies RunList);
      const next = new URLSearchParams({ limit: String(query.limit), before: last.createdTime });
      if (query.status !== undefined) next.set("status", query.status);
      if (query.pipeline !== undefined) next.set("pipeline", query.pipeline);
      return json(200, {
        runs,
        nextLink: `${origin}/api/runs?${next.toString()}`,
      } satisfies RunList);
    },
  );
