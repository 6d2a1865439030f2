// How each status looks. Exhaustive: a new status does not compile until it is drawn.
import type { NodeStatus, RunStatus } from "#shared/domain/run.ts";
import type { Colors } from "../terminal.ts";

export type Hue = "dim" | "cyan" | "blue" | "green" | "red" | "yellow";

interface Look {
  readonly symbol: string;
  readonly hue: Hue;
}

export const nodeLooks: Record<NodeStatus, Look> = {
  waiting: { symbol: "·", hue: "dim" },
  queued: { symbol: "○", hue: "blue" },
  running: { symbol: "●", hue: "cyan" },
  completed: { symbol: "✔", hue: "green" },
  reused: { symbol: "↺", hue: "green" },
  failed: { symbol: "✖", hue: "red" },
  canceled: { symbol: "■", hue: "yellow" },
  skipped: { symbol: "–", hue: "dim" },
};

export const runHues: Record<RunStatus, Hue> = {
  queued: "blue",
  running: "cyan",
  completed: "green",
  failed: "red",
  canceled: "yellow",
};

export function paint(colors: Colors, hue: Hue, text: string): string {
  return colors[hue](text);
}
