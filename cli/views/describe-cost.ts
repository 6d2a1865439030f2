import { formatUsd } from "#shared/domain/cost/money.ts";
import type { NodeRun, RunDocument } from "#shared/domain/run.ts";

/** What a node has cost: `$0.42`, or `≥ $0.42` when there were machines without a price; blank when nothing is known. */
export function describeSpent(cost: NodeRun["cost"]): string {
  if (cost === undefined || (cost.isAtLeast === true && cost.spent === 0)) return "";
  return `${cost.isAtLeast === true ? "≥ " : ""}${formatUsd(cost.spent)}`;
}

/** What a run has cost, and its cap: `$0.42 spent, $0.10 held, of at most $5.00`; nothing when nothing is known. */
export function describeCost(cost: RunDocument["cost"]): string[] {
  const spent = describeSpent(cost);
  if (cost === undefined || spent === "") return [];
  if (cost.cap === undefined) return cost.spent === 0 ? [] : [`${spent} spent`];
  const held = cost.held === undefined || cost.held === 0 ? "" : `, ${formatUsd(cost.held)} held`;
  return [`${spent} spent${held}, of at most ${formatUsd(cost.cap)}`];
}
