// What had been made before a run began. One read serves all of a run's starts, and a node of a shape that nobody has ever made
// is known for new without a look at its data.
import { nodeShape, shapeOf } from "#shared/domain/node-key.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";
import type { RememberedNode } from "#shared/domain/remembered-node.ts";
import { createRecentMap } from "#shared/recent-map.ts";
import type { NodeMemory } from "./node-memory.ts";

export interface Earlier {
  /** The latest nodes of the pipeline by name. */
  readonly byNode: ReadonlyMap<string, RememberedNode>;
  /** Those of them that may stand for others. */
  readonly byKey: ReadonlyMap<string, RememberedNode>;
  /** Nodes of the run that is continued, by name. */
  readonly continued: ReadonlyMap<string, RememberedNode>;
  /** Whether anything of this node's shape has been made, here or in any pipeline. */
  hasShape(node: PlanNode): Promise<boolean>;
}

/** Nodes of the runs whose starts are served by what was read once. */
const nodesInMind = 20_000;
/** Another run may make the first of a shape at any time. */
const newMs = 10_000;

export function createEarlierNodes({ memory }: { memory: NodeMemory }) {
  const known = createRecentMap<Promise<Earlier>>(nodesInMind);

  async function read({ pipeline, continues }: Plan): Promise<Earlier> {
    const [byNode, continued] = await Promise.all([
      memory.latest(pipeline),
      continues?.takesOver === true ? memory.readRun(continues.runId) : {},
    ]);
    const reusable = Object.values(byNode).filter(({ isReusable }) => isReusable);
    const shapes = new Set(reusable.map(({ key }) => shapeOf(key)));
    /** Node -> its shape, and when it was last found to be new. */
    const asked = new Map<string, Promise<{ shape: string; isNew: boolean; time: number }>>();

    async function ask(node: PlanNode): Promise<{ shape: string; isNew: boolean; time: number }> {
      const time = Date.now();
      const shape = await nodeShape(node);
      return { shape, time, isNew: !shapes.has(shape) && !(await memory.hasShape(shape)) };
    }

    return {
      byNode: new Map(Object.entries(byNode)),
      byKey: new Map(reusable.map((node) => [node.key, node])),
      continued: new Map(Object.entries(continued)),

      async hasShape(node) {
        let answer = asked.get(node.name);
        const last = await answer;
        if (answer === undefined || (last?.isNew === true && Date.now() - last.time > newMs)) {
          answer = ask(node);
          asked.set(node.name, answer);
          answer.catch(() => asked.delete(node.name));
        }
        return !(await answer).isNew;
      },
    };
  }

  return {
    /** @param runId undefined for a plan that is not a run yet */
    of(runId: string | undefined, plan: Plan): Promise<Earlier> {
      if (runId === undefined) return read(plan);
      const earlier = known.get(runId) ?? read(plan);
      known.set(runId, earlier, plan.nodes.length);
      earlier.catch(() => known.delete(runId));
      return earlier;
    },
  };
}
