// Azure ML's run events: https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { EventFaults } from "../event-faults.ts";
import { createEventGrid } from "../event-grid.ts";
import type { Outbox } from "../event-outbox.ts";
import type { JobRecord } from "./job-store.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

export interface RunEventsOptions {
  readonly scope: WorkspaceScope;
  /** URLs to deliver to; they may carry keys. */
  readonly endpoints: readonly string[];
  readonly faults: EventFaults;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Multiplies the waits of Event Grid's retry schedule; 1 when absent. */
  readonly retryScale?: number | undefined;
  /** Milliseconds between knocks at an endpoint that is not there; the schedule's when absent. */
  readonly knockMs?: number | undefined;
  readonly outbox?: Outbox | undefined;
}

export interface RunEvents {
  /** Tells of a job that has completed or failed; a canceled one raises nothing, as in the service. */
  jobEnded(job: JobRecord): void;
  setFaults(faults: EventFaults): void;
  close(): void;
}

export function createRunEvents(options: RunEventsOptions): RunEvents {
  const { scope, endpoints, faults, log, retryScale, knockMs, outbox } = options;
  const grid = createEventGrid({ log, faults, retryScale, knockMs, outbox });
  for (const [index, endpoint] of endpoints.entries()) {
    grid.subscribe({ name: `azureml-runs-${index}`, topic: scope.path, endpoint });
  }
  return {
    jobEnded(job) {
      if (job.status === "Canceled") return;
      const isCompleted = job.status === "Completed";
      grid.publish({
        id: randomUUID(),
        topic: scope.path,
        subject: `experiments/${job.experimentId}/runs/${job.name}`,
        eventType: `Microsoft.MachineLearningServices.${isCompleted ? "RunCompleted" : "RunStatusChanged"}`,
        eventTime: new Date().toISOString(),
        data: {
          experimentId: job.experimentId,
          experimentName: job.properties.experimentName,
          runId: job.name,
          runType: null,
          runTags: job.properties.tags,
          runProperties: job.properties.properties,
          ...(isCompleted ? {} : { runStatus: "failed" }),
        },
        dataVersion: "1.0",
        metadataVersion: "1",
      });
    },
    setFaults: grid.setFaults,
    close: grid.close,
  };
}
