// Whether a cap can be kept at all: of every machine that a run may ask for, somebody has to know the price.
import type { Issue } from "../../errors.ts";
import { biggerSizes } from "../instance-types.ts";
import type { Plan, PlanNode } from "../plan.ts";
import { formatUsd } from "./money.ts";
import { describeMachine, type Machine, machineOf, priceOf, type Prices } from "./prices.ts";

/** Every reason why a plan's cap cannot be kept; none where it has no cap. */
export function capIssues({ settings: { maxCost }, nodes, bodies = {} }: Plan, prices: Prices): Issue[] {
  if (maxCost === undefined) return [];
  const all = [...nodes, ...Object.values(bodies).flatMap((body) => body.nodes)];
  const unpriced = new Map<string, string[]>();
  for (const node of all) {
    if (!hasJobs(node) || node.refusal !== undefined) continue;
    for (const machine of machinesOf(node)) {
      if (priceOf(prices, machine) !== undefined) continue;
      const what = machine.name ?? "";
      unpriced.set(what, [...new Set([...(unpriced.get(what) ?? []), node.name])]);
    }
  }
  return [...unpriced].map(([name, among]) => ({
    severity: "error" as const,
    path: `jobs.${among[0] ?? ""}`,
    message: whyUnpriced(name, among, maxCost),
  }));
}

function whyUnpriced(name: string, nodes: readonly string[], maxCost: number): string {
  const cap = `the cap of ${formatUsd(maxCost)} cannot be kept`;
  const more = nodes.length > 1 ? ` (and ${nodes.length - 1} more nodes)` : "";
  if (name === "")
    return `${cap}: ${nodes[0]}${more} names no size and no compute, so the service chooses one at its own price; name \`resources.instance_type\`, or set MLPIPE_PRICES to {"serverless": <US dollars an hour that it may be>}`;
  const what = describeMachine({ name, isSpot: false });
  return `${cap}: nobody knows the price of ${what}, which ${nodes[0]}${more} asks for; set MLPIPE_PRICES to {"${name}": <US dollars an hour>}`;
}

/** Whether a node has jobs of its own. */
function hasJobs({ kind }: PlanNode): boolean {
  return kind === "command" || kind === "sweep";
}

/** Every machine a node may come to ask for: all sizes of its list, and on spot the dedicated ones too. */
function machinesOf(node: PlanNode): Machine[] {
  const { instanceTypes } = node.resources;
  const bigger = instanceTypes.flatMap((size) => [...biggerSizes(size, "gpu"), ...biggerSizes(size, "machine")]);
  const sizes = instanceTypes.length === 0 ? [undefined] : [...instanceTypes, ...bigger];
  return sizes.flatMap((size) => [machineOf(node, size), machineOf(node, size, true)]);
}
