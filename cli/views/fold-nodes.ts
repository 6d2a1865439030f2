// Of a run with more nodes than anybody reads: those to show, and a line for the others.
import { type NodeRun, type NodeStatus, nodeStatusFacts } from "#shared/domain/run.ts";

/** What fits, in plan order: nodes that failed or move come first, then those that wait, then those that ended. */
export function chooseNodes(nodes: readonly NodeRun[], room: number): readonly NodeRun[] {
  if (nodes.length <= room) return nodes;
  const byInterest = nodes.toSorted((a, b) => interest(a) - interest(b)).slice(0, room);
  const chosen = new Set(byInterest);
  return nodes.filter((node) => chosen.has(node));
}

/** `… 960 more: 812 completed, 148 waiting`; undefined when all are shown. */
export function describeHidden(nodes: readonly NodeRun[], shown: readonly NodeRun[]): string | undefined {
  if (shown.length >= nodes.length) return undefined;
  const visible = new Set(shown);
  const counts = new Map<NodeStatus, number>();
  for (const node of nodes) if (!visible.has(node)) counts.set(node.status, (counts.get(node.status) ?? 0) + 1);
  const parts = [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .map(([status, count]) => `${count} ${status}`);
  return `… ${nodes.length - shown.length} more: ${parts.join(", ")}`;
}

function interest({ status }: NodeRun): number {
  if (status === "failed") return 0;
  if (status === "running") return 1;
  if (status === "queued") return 2;
  return nodeStatusFacts[status].isTerminal ? 4 : 3;
}
