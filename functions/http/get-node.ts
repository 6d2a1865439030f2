import { z } from "zod";
import { NodeRun, RunId } from "#shared/api.ts";
import { NodeName } from "#shared/domain/plan.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const NodeParams = z.object({ runId: RunId, node: NodeName });

export const getNode = ({ runs }: App) =>
  defineRoute(
    {
      name: "getNode",
      method: "GET",
      path: "runs/{runId}/nodes/{node}",
      summary: "One node of a run",
      params: NodeParams,
      answer: { status: 200, description: "The node", schema: NodeRun },
    },
    async ({ params, client }) => json(200, await runs.getNode(client, params.runId, params.node)),
  );
