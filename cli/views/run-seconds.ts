import { type RunDocument, runStatusFacts } from "#shared/domain/run.ts";
import { secondsBetween } from "./format-duration.ts";

/** How long the run has taken, up to `now` (milliseconds) while it goes on. */
export function runSeconds({ status, createdTime, endTime, lastUpdatedTime, nodes }: RunDocument, now: number): number {
  if (!runStatusFacts[status].isTerminal) return secondsBetween(createdTime, undefined, now);
  // A run's own end is told in whole seconds, those of its nodes are finer: the latest of them all is right.
  const ends = [endTime ?? lastUpdatedTime, ...nodes.flatMap((node) => node.endTime ?? [])];
  return Math.max(...ends.map((end) => secondsBetween(createdTime, end, now)));
}
