import { NodeExplanation } from "#shared/api.ts";
import type { App } from "../app.ts";
import { createExplainNode } from "../reuse/explain-node.ts";
import { defineRoute, json } from "../route.ts";
import { NodeParams } from "./get-node.ts";

export const explainNode = (app: App) => {
  const explain = createExplainNode(app);
  return defineRoute(
    {
      name: "explainNode",
      method: "GET",
      path: "runs/{runId}/nodes/{node}/why",
      summary: "Why a node ran or was reused: what has changed since its nearest earlier run, with both values",
      params: NodeParams,
      answer: { status: 200, description: "The explanation", schema: NodeExplanation },
    },
    async ({ params, client }) => json(200, await explain(client, params.runId, params.node)),
  );
};
