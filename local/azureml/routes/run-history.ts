// Run history is where the service tells why a job failed: its job resource does not.
import { isTerminal } from "../job-store.ts";
import { param, type Route } from "../route.ts";
import { notFound } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

/** Below `/history/v1.0{WS}`. */
export function createRunHistoryRoutes({ jobs }: WorkspaceContext): Route[] {
  return [
    {
      name: "history.details",
      method: "GET",
      path: "/experiments/:experiment/runs/:run/details",
      handle(request) {
        const job = jobs.get(param(request, "run"));
        if (job === undefined || job.properties.experimentName !== param(request, "experiment")) {
          throw notFound("Run", param(request, "run"));
        }
        const { failure } = job;
        const body = {
          runId: job.name,
          status: job.status,
          startTimeUtc: job.startedAt ?? null,
          endTimeUtc: isTerminal(job.status) ? (job.endedAt ?? null) : null,
          properties: job.properties.properties,
          tags: job.properties.tags,
          error:
            failure === undefined ? null : { error: { code: failure.code, message: failure.message, details: [] } },
          warnings: [],
        };
        return { status: 200, body };
      },
    },
  ];
}
