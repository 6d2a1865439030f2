// A schedule as the API, the command line and the page show it.
import { z } from "zod";
import { nextTicks } from "./decide.ts";
import { CatchUp, Overlap, Schedule, ScheduleName } from "./schedule.ts";
import { Fire, type ScheduleRecord } from "./schedule-record.ts";

/** `ended`: no tick comes any more. */
export const ScheduleStatus = z.enum(["active", "paused", "ended"]);
export type ScheduleStatus = z.infer<typeof ScheduleStatus>;

export const ScheduleDocument = z.object({
  name: ScheduleName,
  displayName: z.string().optional(),
  description: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  status: ScheduleStatus,
  /** `deployed`: it came with the app, and only the app's next version changes it. */
  origin: z.enum(["registered", "deployed"]),
  /** Counts the changes, from 1. */
  version: z.number().int(),
  createdTime: z.string(),
  changedTime: z.string(),
  trigger: Schedule.shape.trigger,
  overlap: Overlap,
  catchUp: CatchUp,
  maxCatchUp: z.number().int(),
  /** Name of the pipeline it starts, its file, or the name of its own document. */
  pipeline: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  /** The next ticks. ISO 8601, UTC. */
  next: z.array(z.string()),
  /** What became of the last ticks, newest first. */
  fires: z.array(Fire),
});
export type ScheduleDocument = z.infer<typeof ScheduleDocument>;

/** @param now milliseconds */
export function toScheduleDocument(
  record: ScheduleRecord,
  now: number,
  count: { readonly next: number; readonly fires: number },
): ScheduleDocument {
  const { createJob, ...schedule } = record.schedule;
  const next = nextTicks(record, now, count.next);
  const isEnded = !record.isPaused && nextTicks(record, now, 1).length === 0;
  return {
    ...schedule,
    status: record.isPaused ? "paused" : isEnded ? "ended" : "active",
    origin: record.origin,
    version: record.version,
    createdTime: record.createdTime,
    changedTime: record.changedTime,
    pipeline: pipelineLabel(createJob.pipeline),
    inputs: createJob.inputs,
    next,
    fires: record.fires.slice(-count.fires).toReversed(),
  };
}

function pipelineLabel(pipeline: Schedule["createJob"]["pipeline"]): string {
  if (pipeline.kind === "named")
    return `${pipeline.name}${pipeline.version === undefined ? "" : `:${pipeline.version}`}`;
  return pipeline.kind === "file" ? pipeline.path : (pipeline.document.name ?? "its own");
}
