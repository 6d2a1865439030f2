// Compares a run with its nodes' own instances: what a lost signal, a crash or a hand that terminated an instance kept from it.
import type { DurableClient } from "durable-functions";
import { NodeResult } from "#shared/domain/node-result.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { findInstance, liveStatuses } from "../instances.ts";

export async function checkNodes(
  { runId, nodes }: { runId: string; nodes: string[] },
  client: DurableClient,
): Promise<NodeResult[]> {
  const results = await Promise.all(nodes.map((node) => readResult(client, runId, node)));
  return results.filter((result) => result !== undefined);
}

async function readResult(client: DurableClient, runId: string, node: string): Promise<NodeResult | undefined> {
  const status = await findInstance(client, nodeInstanceId(runId, node));
  if (status !== undefined && liveStatuses.includes(String(status.runtimeStatus))) return undefined;
  const output = NodeResult.safeParse(status?.output);
  if (output.success) return output.data;
  const time = new Date(status?.lastUpdatedTime ?? Date.now()).toISOString();
  const reason =
    status === undefined ? "its orchestration is gone" : `its orchestration ended as ${status.runtimeStatus}`;
  return {
    status: "failed",
    node,
    attempt: 1,
    refused: [],
    startTime: time,
    endTime: time,
    failure: { reason },
  };
}
