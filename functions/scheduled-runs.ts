// Runs as schedules see them: is one still running, cancel one, start the one that a tick stands for.
import { join } from "node:path";
import type { DurableClient } from "durable-functions";
import { keepSource } from "#shared/domain/source-map.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import { fillDocumentMacros, fillInputMacros } from "#shared/domain/schedule/macros.ts";
import type { Schedule } from "#shared/domain/schedule/schedule.ts";
import type { App } from "./app.ts";
import type { ScheduledRuns, StartingFire } from "./fire-schedule.ts";
import { findInstance, liveStatuses } from "./instances.ts";
import { loadNamedPipeline } from "./named-pipeline.ts";
import { orderCancel } from "./order-cancel.ts";
import type { RunRequest } from "./start-run.ts";

type Needed = Pick<App, "pipelines" | "registry" | "startRun" | "schedulesFolder">;
type Tick = Pick<StartingFire, "runId" | "tick">;

export function createScheduledRuns(app: Needed, client: DurableClient): ScheduledRuns {
  return {
    async isLive(runId) {
      const instance = await findInstance(client, runId);
      return instance !== undefined && liveStatuses.includes(String(instance.runtimeStatus));
    },

    async cancel(runId, reason) {
      if (!(await this.isLive(runId))) return;
      await orderCancel(client, runId, reason);
    },

    start: (schedule, fire) => app.startRun.startAs(client, fire.runId, () => toRunRequest(app, schedule, fire)),
  };
}

/**
 * What a tick of a schedule asks for, everything that has no fixed version read now.
 *
 * @throws MlpipeError `NotFound` when its pipeline is gone; `InvalidRequest` with every issue
 */
export async function toRunRequest(app: Needed, schedule: Schedule, { runId, tick }: Tick): Promise<RunRequest> {
  const { createJob } = schedule;
  const values = { name: runId, triggerTime: tick };
  const { document, ...named } = await loadDocument(app, createJob.pipeline);
  const experimentName =
    createJob.experimentName ?? (document.experiment_name === undefined ? schedule.name : undefined);
  return {
    document: fillDocumentMacros(withOverrides(document, createJob), values),
    ...named,
    inputs: fillInputMacros(createJob.inputs, values),
    tags: { ...createJob.tags, "mlpipe.schedule": schedule.name, "mlpipe.trigger_time": tick },
    displayName: createJob.displayName,
    experimentName,
  };
}

async function loadDocument(
  { pipelines, registry, schedulesFolder }: Needed,
  pipeline: Schedule["createJob"]["pipeline"],
): Promise<Pick<RunRequest, "document" | "name" | "pipelineVersion">> {
  if (pipeline.kind === "document") return { document: pipeline.document };
  if (pipeline.kind === "file") {
    const { document } = await pipelines.loadFile(join(schedulesFolder, pipeline.path));
    return { document };
  }
  const { name, version } = pipeline;
  return loadNamedPipeline({ pipelines, registry }, name, version);
}

function withOverrides(document: PipelineDocument, { outputs, settings }: Schedule["createJob"]): PipelineDocument {
  const merged = (own: unknown, over: Record<string, unknown>) =>
    Object.keys(over).length === 0 ? own : { ...(own as Record<string, unknown> | undefined), ...over };
  return keepSource(document, {
    ...document,
    outputs: merged(document.outputs, outputs),
    settings: merged(document.settings, settings),
  });
}
