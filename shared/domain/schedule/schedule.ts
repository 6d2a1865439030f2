// A schedule: what Azure ML's file says (when, and which pipeline with what) and what mlpipe adds (what to do about missed ticks
// and runs that still run).
import { z } from "zod";
import { InputValue } from "../input-value.ts";
import type { PipelineDocument } from "../pipeline-document.ts";
import { Trigger } from "./trigger.ts";

/** Azure ML's rule for names of resources. */
export const ScheduleName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/, "letters, digits, `_` and `-`, at most 80, a letter or digit first");

/** What becomes of a tick while a run of the same schedule still runs. */
export const Overlap = z.enum(["skip", "queue", "cancel-previous", "allow"]);
export type Overlap = z.infer<typeof Overlap>;

/** What becomes of ticks that passed while nobody could fire them: none, the newest, or all up to `maxCatchUp`. */
export const CatchUp = z.enum(["none", "last", "all"]);
export type CatchUp = z.infer<typeof CatchUp>;

export const ScheduledPipeline = z.discriminatedUnion("kind", [
  /** A pipeline of the app or its registry, read anew at every tick; without a version the latest. */
  z.object({ kind: z.literal("named"), name: z.string(), version: z.string().optional() }),
  /** A self-contained document, kept with the schedule. */
  z.object({ kind: z.literal("document"), document: z.custom<PipelineDocument>((value) => typeof value === "object") }),
  /** A file beside the schedule's own. */
  z.object({ kind: z.literal("file"), path: z.string() }),
]);
export type ScheduledPipeline = z.infer<typeof ScheduledPipeline>;

export const CreateJob = z.object({
  pipeline: ScheduledPipeline,
  /** Texts may hold `${{name}}` and `${{creation_context.trigger_time}}`. */
  inputs: z.record(z.string(), InputValue),
  /** Replace those of the pipeline, key by key. */
  outputs: z.record(z.string(), z.unknown()),
  settings: z.record(z.string(), z.unknown()),
  experimentName: z.string().optional(),
  displayName: z.string().optional(),
  tags: z.record(z.string(), z.string()),
});
export type CreateJob = z.infer<typeof CreateJob>;

export const Schedule = z.object({
  name: ScheduleName,
  displayName: z.string().optional(),
  description: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  trigger: Trigger,
  overlap: Overlap,
  catchUp: CatchUp,
  maxCatchUp: z.number().int().positive(),
  createJob: CreateJob,
});
export type Schedule = z.infer<typeof Schedule>;

/** Of a tick: ISO 8601, UTC, whole seconds. */
export function toTickTime(instant: number): string {
  return new Date(Math.floor(instant / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
