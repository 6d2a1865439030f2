import type { Log } from "#shared/log.ts";

/** One pass over what may go. */
export interface Pass {
  /** Counts and names, removes nothing. */
  readonly isDryRun: boolean;
  /** ISO 8601, UTC: now. */
  readonly time: string;
  readonly log: Log;
  /** Whether the pass has taken so long that the rest is left to the next. */
  isOver(): boolean;
}
