// Nodes that come to be while a run goes on: trials of a sweep, iterations and items of a loop. Their names say what they are:
// `tune.trial_2`, `loop.iteration_3`, or `loop.iteration_3.prep` where the body is a pipeline.
import type { LoopPlan } from "./control/loop-plan.ts";
import type { Plan, PlanNode } from "./plan.ts";

const rounds = { do_while: "iteration", parallel_for: "item" } as const satisfies Record<LoopPlan["kind"], string>;

/** What the names of the nodes of one round of a loop begin with. @param loop the loop's own name in the run */
export function roundName(loop: string, kind: LoopPlan["kind"], number: number): string {
  return `${loop}.${rounds[kind]}_${number}`;
}

/**
 * The node of the plan that `name` is an instance of; undefined when a run of this plan never has a node of that name.
 *
 * @param name name of a node in a run
 */
export function planNodeOf(plan: Pick<Plan, "nodes" | "bodies">, name: string): PlanNode | undefined {
  const find = (nodes: readonly PlanNode[], wanted: string): PlanNode | undefined => {
    for (const node of nodes) {
      if (node.name === wanted) return node;
      if (!wanted.startsWith(`${node.name}.`)) continue;
      const rest = wanted.slice(node.name.length + 1);
      if (node.sweep !== undefined && /^trial_\d+$/.test(rest)) return node;
      if (node.loop === undefined) continue;
      const round = new RegExp(`^${rounds[node.loop.kind]}_\\d+(?=$|\\.)`).exec(rest)?.[0];
      if (round !== undefined)
        return find(plan.bodies?.[node.name]?.nodes ?? [], node.loop.body + rest.slice(round.length));
    }
    return undefined;
  };
  return find(plan.nodes, name);
}
