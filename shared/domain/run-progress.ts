// The run's custom status: the one compact truth the API, the command line and the page render. A custom status may hold 16 KB
// of UTF-16, so a node costs one letter; times and attempts are told as far as there is room, newest first.
import { z } from "zod";
import type { NodeState, RunState } from "./run-state.ts";
import type { NodeStatus } from "./run.ts";

const letters = {
  waiting: "w",
  queued: "q",
  running: "r",
  completed: "c",
  reused: "u",
  failed: "f",
  canceled: "x",
  skipped: "s",
} as const satisfies Record<NodeStatus, string>;

const statuses = new Map(Object.entries(letters).map(([status, letter]) => [letter as string, status as NodeStatus]));

export const RunProgress = z.object({
  /** One letter per node, in plan order. */
  nodes: z.string(),
  /** Milliseconds since 1970 that the times below count from. */
  since: z.number(),
  /** Index of the node -> [attempt, start ms, end ms]. */
  details: z.record(z.string(), z.array(z.number())),
  failure: z.object({ node: z.string().optional(), reason: z.string() }).optional(),
  cancelReason: z.string().optional(),
  waitsFor: z.string().optional(),
});
export type RunProgress = z.infer<typeof RunProgress>;

/** Characters the details may take: with letters and failure the whole stays under 7,500, which is 15,000 bytes of UTF-16. */
const detailBudget = 5_500;

/** The custom status of `state`, under 16 KB whatever the number of nodes up to 1,000. */
export function toRunProgress(state: RunState, since: number): RunProgress {
  const nodes = Object.values(state.nodes);
  const entries = nodes.flatMap((node, index): [string, number[], number][] => {
    if (node.startTime === undefined) return [];
    const start = Date.parse(node.startTime) - since;
    const end = node.endTime === undefined ? undefined : Date.parse(node.endTime) - since;
    return [
      [
        String(index),
        end === undefined ? [node.attempt, start] : [node.attempt, start, end],
        end ?? Number.MAX_SAFE_INTEGER,
      ],
    ];
  });
  entries.sort((a, b) => b[2] - a[2]);
  const details: Record<string, number[]> = {};
  let spent = 0;
  for (const [index, values] of entries) {
    spent += index.length + JSON.stringify(values).length + 4;
    if (spent > detailBudget) break;
    details[index] = values;
  }
  const failure =
    state.failure === undefined ? undefined : { ...state.failure, reason: state.failure.reason.slice(0, 500) };
  return {
    nodes: nodes.map(({ status }) => letters[status]).join(""),
    since,
    details,
    ...(failure === undefined ? {} : { failure }),
    ...(state.cancelReason === undefined ? {} : { cancelReason: state.cancelReason.slice(0, 200) }),
    ...(state.waitsFor === undefined ? {} : { waitsFor: state.waitsFor.slice(0, 300) }),
  };
}

/** Node states in plan order, as far as the custom status tells them. */
export function toNodeStates(progress: RunProgress): NodeState[] {
  return progress.nodes.split("").map((letter, index) => {
    const status = statuses.get(letter) ?? "waiting";
    const [attempt = 0, start, end] = progress.details[String(index)] ?? [];
    const iso = (ms: number) => new Date(progress.since + ms).toISOString();
    return {
      status,
      attempt,
      ...(start === undefined ? {} : { startTime: iso(start) }),
      ...(end === undefined ? {} : { endTime: iso(end) }),
    };
  });
}
