import { OrchestrationRuntimeStatus } from "durable-functions";
import { z } from "zod";
import { PipelineName, RunId, RunList, type RunSummary } from "#shared/api.ts";
import { RunStatus } from "#shared/domain/run.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { toSummary } from "../run-documents.ts";

/**
 * Runs are looked for in ever longer stretches of the past, newest first, until a page is full: what is read is every instance of a
 * stretch, those of nodes too, so where there are many the first stretches are short.
 */
const stretchesInHours = [1 / 30, 1 / 4, 1, 6, 24, 24 * 7, 24 * 30, 24 * 365 * 10];

/** What the instance's own status says of the run's; completed instances hold failed and canceled runs too. */
const runtimeStatuses: Record<RunStatus, OrchestrationRuntimeStatus[]> = {
  // A run that waits for a slot has begun as an instance.
  queued: [
    OrchestrationRuntimeStatus.Pending,
    OrchestrationRuntimeStatus.Running,
    OrchestrationRuntimeStatus.ContinuedAsNew,
  ],
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
        /** Only runs that come after this one in the list; `nextLink` sets both. */
        before: z.iso.datetime().optional(),
        beforeRun: RunId.optional(),
      }),
      answer: { status: 200, description: "A page of runs", schema: RunList },
    },
    async ({ query, client, origin }) => {
      const { limit, status: wanted, pipeline } = query;
      const newest = query.before === undefined ? new Date(Date.now() + 60_000) : new Date(query.before);
      // Two runs may be of the same millisecond: then their ids decide.
      const cursor = [newest.toISOString(), query.beforeRun ?? ""].join(" ");
      const found = new Map<string, RunSummary>();
      let sorted: RunSummary[] = [];
      let to: Date | undefined;
      for (const hours of stretchesInHours) {
        const from = new Date(newest.getTime() - hours * 3_600_000);
        // An instance is younger than its run: it was made after it, and is made anew when its history is dropped.
        const statuses = await client.getStatusBy({
          createdTimeFrom: from,
          ...(to === undefined ? {} : { createdTimeTo: to }),
          ...(wanted === undefined ? {} : { runtimeStatus: runtimeStatuses[wanted] }),
        });
        for (const status of statuses) {
          if (status.name !== "runPipeline") continue;
          const summary = toSummary(status);
          if (positionOf(summary) >= cursor) continue;
          if (wanted !== undefined && summary.status !== wanted) continue;
          if (pipeline !== undefined && summary.pipeline !== pipeline) continue;
          found.set(summary.runId, summary);
        }
        // Older runs may be missing yet.
        const known = [...found.values()].filter(({ createdTime }) => createdTime >= from.toISOString());
        sorted = known.toSorted((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));
        if (sorted.length > limit) break;
        to = from;
      }
      const runs = sorted.slice(0, limit);
      const last = runs.at(-1);
      if (sorted.length <= limit || last === undefined) return json(200, { runs } satisfies RunList);
      const next = new URLSearchParams({ limit: String(limit), before: last.createdTime, beforeRun: last.runId });
      if (wanted !== undefined) next.set("status", wanted);
      if (pipeline !== undefined) next.set("pipeline", pipeline);
      return json(200, {
        runs,
        nextLink: `${origin}/api/runs?${next.toString()}`,
      } satisfies RunList);
    },
  );

/** Sorts as the list does, oldest first. */
function positionOf({ createdTime, runId }: RunSummary): string {
  return `${createdTime} ${runId}`;
}
