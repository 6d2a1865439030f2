// External events of our orchestrations. Each orchestration waits on ONE event name, its inbox, and reads the kind from the
// event: with several names, or one wait inside several `Task.any`, a wait left over from an earlier turn swallows the next
// event (docs/decisions/0002-one-inbox-per-instance.md).
import { z } from "zod";
import { NodeResult } from "#shared/domain/node-result.ts";

/** Name of the external event every instance of ours listens to. */
export const inbox = "signal";

/** To `runPipeline`. */
export const RunSignal = z.discriminatedUnion("kind", [
  /** `isWatched`: whether a webhook is registered that may want to hear of the run. */
  z.object({ kind: z.literal("node-ended"), result: NodeResult, isWatched: z.boolean().optional() }),
  z.object({ kind: z.literal("cancel"), reason: z.string() }),
  /** Somebody suspects that a signal was lost: compare with the nodes' own instances. */
  z.object({ kind: z.literal("check") }),
  /** A run ahead in the queue has ended: ask again. */
  z.object({ kind: z.literal("slot-free") }),
]);
export type RunSignal = z.infer<typeof RunSignal>;

/** To `runNode`. `job-ended` only wakes it up: the job is asked, the event never believed. */
export const NodeSignal = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("job-ended") }),
  z.object({ kind: z.literal("cancel"), reason: z.string() }),
  /** A job ahead in the queue has ended: ask again. */
  z.object({ kind: z.literal("slot-free") }),
  /** Somebody has answered whether the run's model is approved: the answer itself is written down. */
  z.object({ kind: z.literal("answered") }),
]);
export type NodeSignal = z.infer<typeof NodeSignal>;

/** To `collectDataset`: something was written. It is never more than a wake-up; the files themselves are looked at. */
export const DatasetSignal = z.object({ kind: z.literal("look") });
export type DatasetSignal = z.infer<typeof DatasetSignal>;
