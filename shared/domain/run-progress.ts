// The run's custom status: the one compact truth the API, the command line and the page render. A custom status may hold 16 KB
// of UTF-16, so a node costs one letter, in a run of very many half a letter; times and attempts are told as far as there is room,
// newest first.
import { z } from "zod";
import { MachineTime } from "./cost/machine-time.ts";
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
  /** One letter per node, in plan order; empty when they are packed. */
  nodes: z.string(),
  /** Of a run of very many nodes: their number, and one character for two of them, in plan order. */
  packed: z.object({ count: z.number().int(), pairs: z.string() }).optional(),
  /** Milliseconds since 1970 that the times below count from. */
  since: z.number(),
  /** Index of the node -> [attempt, start ms, end ms]. */
  details: z.record(z.string(), z.array(z.number())),
  failure: z.object({ node: z.string().optional(), reason: z.string() }).optional(),
  cancelReason: z.string().optional(),
  waitsFor: z.string().optional(),
  /** Of the nodes that have ended. */
  machineTime: MachineTime.optional(),
});
export type RunProgress = z.infer<typeof RunProgress>;

/** Characters of JSON the whole may take: 15,600 bytes of UTF-16, of the 16 KB that a custom status may have. */
const budget = 7_800;
/** Nodes that are told by a letter each. */
const mostLetters = 3_000;
const pairAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ranks = Object.keys(letters) as NodeStatus[];
/** Of which the details. */
const detailBudget = 5_500;

/** The custom status of `state`, under 16 KB whatever the number of nodes up to 12,000. */
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
  const { failure, cancelReason, waitsFor } = state;
  const progress = {
    ...(nodes.length > mostLetters
      ? { nodes: "", packed: { count: nodes.length, pairs: pack(nodes) } }
      : { nodes: nodes.map(({ status }) => letters[status]).join("") }),
    since,
    details,
    ...(failure === undefined ? {} : { failure: { ...failure, reason: shorten(failure.reason, 500) } }),
    ...(cancelReason === undefined ? {} : { cancelReason: shorten(cancelReason, 200) }),
    ...(waitsFor === undefined ? {} : { waitsFor: shorten(waitsFor, 300) }),
    ...(state.machineTime === undefined ? {} : { machineTime: state.machineTime }),
  };
  let left = Math.min(detailBudget, budget - JSON.stringify(progress).length);
  for (const [index, values] of entries) {
    left -= index.length + JSON.stringify(values).length + 4;
    if (left < 0) break;
    details[index] = values;
  }
  return progress;
}

/** The beginning of a text, of which JSON makes no more than so many characters: it writes a control character as six. */
function shorten(text: string, most: number): string {
  let kept = text.slice(0, most);
  while (JSON.stringify(kept).length > most + 2) kept = kept.slice(0, Math.floor(0.8 * kept.length));
  return kept;
}

function pack(nodes: readonly NodeState[]): string {
  const rankAt = (index: number) => Math.max(0, ranks.indexOf(nodes[index]?.status ?? "waiting"));
  const pairs = Array.from(
    { length: Math.ceil(nodes.length / 2) },
    (_, pair) => pairAlphabet[ranks.length * rankAt(2 * pair) + rankAt(2 * pair + 1)],
  );
  return pairs.join("");
}

function unpack({ count, pairs }: { count: number; pairs: string }): NodeStatus[] {
  return Array.from({ length: count }, (_, index) => {
    const pair = pairAlphabet.indexOf(pairs[Math.floor(index / 2)] ?? "A");
    return ranks[index % 2 === 0 ? Math.floor(pair / ranks.length) : pair % ranks.length] ?? "waiting";
  });
}

/** Status of each node in plan order. */
export function toNodeStatuses({ nodes, packed }: RunProgress): NodeStatus[] {
  return packed === undefined ? nodes.split("").map((letter) => statuses.get(letter) ?? "waiting") : unpack(packed);
}

/** Node states in plan order, as far as the custom status tells them. */
export function toNodeStates(progress: RunProgress): NodeState[] {
  return toNodeStatuses(progress).map((status, index) => {
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
