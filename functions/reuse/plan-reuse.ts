// Says of every node of a plan, before anything is spent, whether it would run or be reused and why; as far as that can be known
// before the nodes it reads from have run.
import type { z } from "zod";
import type { PlannedNode } from "#shared/api.ts";
import { dependenciesOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import { type NodeRecipe, type RememberedOutput, toPrevious } from "#shared/domain/remembered-node.ts";
import type { App } from "../app.ts";
import { createExplainRun } from "./explain-run.ts";
import { createNodeFacts } from "./node-facts.ts";

export type PlannedReuse = Pick<z.infer<typeof PlannedNode>, "action" | "reason" | "reusedFrom">;

const nodesAtOnce = 16;

export function createPlanReuse({
  assets,
  blobs,
  data,
  memory,
  reuse,
}: Pick<App, "assets" | "blobs" | "data" | "memory" | "reuse">) {
  const explainRun = createExplainRun({ blobs, data, memory });

  /** @returns by node */
  return async function planReuse(plan: Plan): Promise<Map<string, PlannedReuse>> {
    // A plan is told as if its first node, which runs in any case, had run.
    const first = plan.nodes.filter((node) => dependenciesOf(node).length === 0 && node.name !== plan.settings.onInit);
    const ready = first.map(({ name }) => ({ node: name, upstream: {} }));
    const [decisions, latest] = await Promise.all([
      reuse.decideNodes(undefined, plan, ready),
      memory.latest(plan.pipeline),
    ]);
    const facts = createNodeFacts({ assets, data });

    async function recipeOf(node: PlanNode): Promise<NodeRecipe> {
      const own = await facts.own(node);
      const previous = Object.hasOwn(latest, node.name) ? latest[node.name] : undefined;
      return {
        facts: { ...own.facts },
        uris: {},
        ...(own.unknown.length === 0 ? {} : { unknown: [...own.unknown] }),
        ...(previous === undefined ? {} : { previous: toPrevious(previous) }),
      };
    }

    async function explain(node: PlanNode): Promise<PlannedReuse & { mayStay?: boolean }> {
      const decision = decisions.get(node.name);
      if (decision?.stands !== undefined) {
        const { runId, node: name, jobName } = decision.stands;
        const reusedFrom = { runId, node: name, ...(jobName === undefined ? {} : { jobName }) };
        return { action: "reuse", reason: `nothing that counts has changed since run ${runId}`, reusedFrom };
      }
      const recipe = decision?.recipe ?? (await recipeOf(node));
      const isEarly = decision === undefined;
      const outputs = new Map<string, RememberedOutput>();
      for (const name of isEarly ? [] : dependenciesOf(node))
        for (const [output, made] of Object.entries(decisions.get(name)?.stands?.outputs ?? {}))
          outputs.set(`${name}.${output}`, made);
      const upstream = await facts.upstream(node, outputs);
      const told = { ...recipe.facts, ...upstream.facts };
      const { reason, isSame } = await explainRun({ plan, node, facts: told, recipe, isEarly });
      return { action: "run", reason, mayStay: isEarly && isSame };
    }

    const explained = new Map<string, PlannedReuse & { mayStay?: boolean }>();
    for (let start = 0; start < plan.nodes.length; start += nodesAtOnce) {
      const batch = plan.nodes.slice(start, start + nodesAtOnce);
      await Promise.all(batch.map(async (node) => explained.set(node.name, await explain(node))));
    }
    return new Map(
      plan.nodes.map((node) => {
        const { mayStay, ...planned } = explained.get(node.name) ?? { action: "run" };
        if (mayStay !== true) return [node.name, planned];
        const read = new Set(
          Object.values(node.inputs).flatMap((input) => (input.kind === "output" ? [input.node] : [])),
        );
        const running = [...read].filter((name) => explained.get(name)?.action === "run");
        const reason =
          running.length === 0
            ? `unless ${dependenciesOf(node).join(" and ")} decide otherwise`
            : `unless the outputs of ${running.join(" and ")} come out the same`;
        return [node.name, { ...planned, reason }];
      }),
    );
  };
}
