// Nodes that come to be while a run goes on: trials of a sweep, iterations and items of a loop, a node that scores the champion
// as well. Their names say what they are: `tune.trial_2`, `loop.iteration_3`, or `loop.iteration_3.prep` where the body is a
// pipeline, `score.champion_4`.
import type { LoopPlan } from "./control/loop-plan.ts";
import { type Plan, type PlanNode, dependenciesOf } from "./plan.ts";

const rounds = { do_while: "iteration", parallel_for: "item" } as const satisfies Record<LoopPlan["kind"], string>;

/** What the names of the nodes of one round of a loop begin with. @param loop the loop's own name in the run */
export function roundName(loop: string, kind: LoopPlan["kind"], number: number): string {
  return `${loop}.${rounds[kind]}_${number}`;
}

const championPattern = /^champion_[A-Za-z0-9_-]+$/;

/** What a node is called when it runs once more, on the registered model of that version. */
export function championNodeName(node: string, version: string): string {
  return `${node}.champion_${version.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
}

/**
 * The node of the plan that `name` is an instance of; undefined when a run of this plan never has a node of that name.
 *
 * @param name name of a node in a run
 */
export function planNodeOf(plan: Pick<Plan, "nodes" | "bodies">, name: string): PlanNode | undefined {
  return findNode(plan, name)?.node;
}

/** Names of the nodes in the run whose outputs or decisions the node `name` needs. */
export function dependenciesInRun(plan: Pick<Plan, "nodes" | "bodies">, name: string): string[] {
  const found = findNode(plan, name);
  return found === undefined ? [] : dependenciesOf(found.node).map((planNode) => found.nameInRun(planNode));
}

interface Found {
  readonly node: PlanNode;
  /** What a node of the plan is called where this one runs. */
  readonly nameInRun: (planNode: string) => string;
}

function findNode(plan: Pick<Plan, "nodes" | "bodies">, name: string): Found | undefined {
  return find(plan.nodes, name, (planNode) => planNode);

  function find(nodes: readonly PlanNode[], wanted: string, nameInRun: Found["nameInRun"]): Found | undefined {
    for (const node of nodes) {
      if (node.name === wanted) return { node, nameInRun };
      if (!wanted.startsWith(`${node.name}.`)) continue;
      const rest = wanted.slice(node.name.length + 1);
      if (node.sweep !== undefined && /^trial_\d+$/.test(rest)) return { node, nameInRun };
      if (championPattern.test(rest)) return { node, nameInRun };
      if (node.loop === undefined) continue;
      const { kind, body } = node.loop;
      const round = new RegExp(`^${rounds[kind]}_\\d+(?=$|\\.)`).exec(rest)?.[0];
      if (round === undefined) continue;
      const inside = (planNode: string) =>
        planNode === body || planNode.startsWith(`${body}.`)
          ? `${nameInRun(node.name)}.${round}${planNode.slice(body.length)}`
          : nameInRun(planNode);
      return find(plan.bodies?.[node.name]?.nodes ?? [], body + rest.slice(round.length), inside);
    }
    return undefined;
  }
}
