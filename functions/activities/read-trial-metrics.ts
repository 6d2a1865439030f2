import type { DurableClient } from "durable-functions";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { findInstance } from "../instances.ts";
import { readHistory } from "../metrics.ts";

/** Values of one metric that each trial has logged; none for a trial that has no job yet. */
export function createReadTrialMetrics({ ml }: { ml: Ml }) {
  return async function readTrialMetrics(
    { runId, nodes, metric }: { runId: string; nodes: string[]; metric: string },
    client: DurableClient,
  ): Promise<number[][]> {
    return Promise.all(
      nodes.map(async (node) => {
        const status = await findInstance(client, nodeInstanceId(runId, node));
        const told = NodeResult.safeParse(status?.output).data ?? NodeProgress.safeParse(status?.customStatus).data;
        if (told?.jobName === undefined) return [];
        return (await readHistory(ml, told.jobName, metric)).map(({ value }) => value);
      }),
    );
  };
}
