// Why a node of a run ran, or did not have to.
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import type { NodeExplanation } from "#shared/api.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeRecipe } from "#shared/domain/remembered-node.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { findInstance } from "../instances.ts";
import { createExplainRun } from "./explain-run.ts";
import { createNodeFacts, readBy } from "./node-facts.ts";

const Started = z.object({ recipe: NodeRecipe });

type Clients = Pick<App, "assets" | "blobs" | "data" | "memory" | "plans" | "runs">;

export function createExplainNode({ assets, blobs, data, memory, plans, runs }: Clients) {
  const explainRun = createExplainRun({ blobs, data, memory });

  /** @throws MlpipeError `NotFound` when the run has no such node */
  return async function explainNode(client: DurableClient, runId: string, name: string): Promise<NodeExplanation> {
    const { status, reusedFrom } = await runs.getNode(client, runId, name);
    const { plan } = await plans.get(runId);
    const node = plan.nodes.find((planned) => planned.name === name);
    if (node === undefined) throw new MlpipeError("NotFound", `${name} is a trial: ask why its sweep ran`);
    const told = { runId, node: name, changes: [] };
    if (reusedFrom !== undefined)
      return { ...told, decision: "reused", reason: "nothing that counts has changed", reusedFrom };
    const instance = await findInstance(client, nodeInstanceId(runId, name), { showInput: true });
    const recipe = Started.safeParse(instance?.input).data?.recipe;
    if (recipe === undefined) {
      const gone =
        status === "waiting" || status === "skipped" || status === "canceled" ? "" : ", and its record is gone";
      return { ...told, decision: "undecided", reason: `the node is ${status}${gone}` };
    }
    const upstream = await createNodeFacts({ assets, data }).upstream(node, readBy(node, recipe));
    const facts = { ...recipe.facts, ...upstream.facts };
    const { reason, changes, comparedWith } = await explainRun({ plan, node, facts, recipe });
    return {
      ...told,
      decision: "run",
      reason,
      changes: [...changes],
      ...(comparedWith === undefined ? {} : { comparedWith }),
    };
  };
}
