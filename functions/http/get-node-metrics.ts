import { NodeMetrics } from "#shared/api.ts";
import type { App } from "../app.ts";
import { readMetrics } from "../metrics.ts";
import { defineRoute, json } from "../route.ts";
import { NodeParams } from "./get-node.ts";

export const getNodeMetrics = ({ runs, ml }: App) =>
  defineRoute(
    {
      name: "getNodeMetrics",
      method: "GET",
      path: "runs/{runId}/nodes/{node}/metrics",
      summary: "What a node has logged through MLflow so far",
      params: NodeParams,
      answer: { status: 200, description: "Metrics and parameters", schema: NodeMetrics },
    },
    async ({ params, client }) => {
      const { jobName } = await runs.getNode(client, params.runId, params.node);
      const metrics: NodeMetrics = jobName === undefined ? { metrics: {}, params: {} } : await readMetrics(ml, jobName);
      return json(200, metrics);
    },
  );
