// How long jobs took that have completed: what a node's next job is expected to take.
import { z } from "zod";

/** Where the time of a completed job went, as far as looks at it have shown. */
export const JobTiming = z.object({
  /** Seconds in which it had no machine. */
  queued: z.number().nonnegative(),
  /** Seconds from its machine to its end. */
  machine: z.number().nonnegative(),
  /** Those of them before its command ran, where a look has seen it there. */
  preparing: z.number().nonnegative().optional(),
});
export type JobTiming = z.infer<typeof JobTiming>;

/** One completed job of a node. */
export interface Duration extends JobTiming {
  readonly component: string;
  /** Size, or compute; undefined where the service chose. */
  readonly size: string | undefined;
}

/** Completed jobs of a node that count, the newest ones. */
export const countedDurations = 20;

export const Range = z.object({ p50: z.number(), p90: z.number() });
export type Range = z.infer<typeof Range>;

/** Median and 90th percentile, between neighbours in proportion; undefined of nothing. */
export function rangeOf(values: readonly number[]): Range | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low = 0, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (high - low) * (place - Math.floor(place));
  };
  return sorted.length === 0 ? undefined : { p50: at(0.5), p90: at(0.9) };
}
