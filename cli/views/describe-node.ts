// A node run in words, shared by every way of showing one.
import type { NodeRun } from "#shared/domain/run.ts";
import { nodeStatusFacts } from "#shared/domain/run.ts";
import { secondsBetween } from "./format-duration.ts";
import { summarizePromotion } from "./promotion.ts";

/**
 * Where the job is, from Azure ML's own word for it; undefined when the node's status already says it. A job that has
 * logged something runs, even where the word for it is an older one.
 */
export function describePhase(node: NodeRun, hasLogged: boolean): string | undefined {
  const { status, jobStatus, waitsFor } = node;
  if (waitsFor !== undefined) return `waits for ${waitsFor}`;
  const control = describeControl(node);
  if (control !== undefined) return control;
  if (hasLogged || jobStatus === undefined || nodeStatusFacts[status].isTerminal || status === "waiting")
    return undefined;
  return phases[jobStatus.toLowerCase()] ?? jobStatus.toLowerCase();
}

/** What became of a condition, a loop or a promotion; undefined for every other node. */
function describeControl({ taken, loop, promotion }: NodeRun): string | undefined {
  if (promotion !== undefined) return summarizePromotion(promotion) ?? "";
  if (taken !== undefined) return `takes its ${taken}`;
  if (loop === undefined) return undefined;
  if (loop.total !== undefined) return `${loop.completed} of ${loop.total} items`;
  return loop.completed === 1 ? "1 iteration" : `${loop.completed} iterations`;
}

const phases: Record<string, string | undefined> = {
  notstarted: "not started yet",
  starting: "starting",
  provisioning: "provisioning: getting a machine",
  preparing: "preparing: building the Python environment",
  queued: "queued for a machine",
  running: "",
  finalizing: "finalizing: storing the outputs",
  cancelrequested: "being canceled",
};

/** The attempts before the last, a line for each: `train 1  preempted  Standard_D4s_v5  the machine was taken away`. */
export function describeAttempts(nodes: readonly NodeRun[]): string[] {
  return nodes.flatMap(({ name, attempts = [] }) =>
    attempts.map(({ attempt, class: failureClass, instanceType, reason }) =>
      [`${name} ${attempt}`, failureClass, instanceType, reason].filter((part) => part !== undefined).join("  "),
    ),
  );
}

/** The machine it got, and the one it did not: `Standard_NC4as_T4_v3 instead of Standard_NC6s_v3`. */
export function describeMachine({ instanceType, refusedInstanceTypes = [] }: NodeRun): string | undefined {
  const refused = refusedInstanceTypes.map((each) => each.instanceType).join(", ");
  if (instanceType === undefined) return refused === "" ? undefined : `refused: ${refused}`;
  return refused === "" ? instanceType : `${instanceType} instead of ${refused}`;
}

/** Seconds since the node started, up to its end if it has one; undefined before it starts. */
export function elapsedSeconds({ startTime, endTime }: NodeRun, now: number): number | undefined {
  return startTime === undefined ? undefined : secondsBetween(startTime, endTime, now);
}
