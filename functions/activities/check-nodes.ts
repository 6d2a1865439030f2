// Compares a run with its nodes' own instances: what a lost signal, a crash or a hand that terminated an instance kept from it.
import { setTimeout as sleep } from "node:timers/promises";
import type { DurableClient } from "durable-functions";
import { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { inBatches } from "../in-batches.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/**
 * A node that has told its run of its end, in a signal that the turn of a generation may have swallowed, still remembers what it
 * has made: its end is near, and nobody would say so again.
 */
const patienceMs = 15_000;
const longestPauseMs = 500;

export async function checkNodes(
  { runId, nodes }: { runId: string; nodes: string[] },
  client: DurableClient,
): Promise<NodeResult[]> {
  const results: NodeResult[] = [];
  const until = Date.now() + patienceMs;
  let open: readonly string[] = nodes;
  for (let pauseMs = 10; open.length > 0; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const reporting: string[] = [];
    const answers = await inBatches(open, async (node) => ({ node, answer: await readResult(client, runId, node) }));
    for (const { node, answer } of answers) {
      if (answer === "reporting") reporting.push(node);
      else if (answer !== "running") results.push(answer);
    }
    open = Date.now() + pauseMs < until ? reporting : [];
    if (open.length > 0) await sleep(pauseMs);
  }
  return results;
}

async function readResult(
  client: DurableClient,
  runId: string,
  node: string,
): Promise<NodeResult | "running" | "reporting"> {
  const status = await findInstance(client, nodeInstanceId(runId, node));
  if (status !== undefined && liveStatuses.includes(String(status.runtimeStatus)))
    return NodeProgress.safeParse(status.customStatus).data?.isReporting === true ? "reporting" : "running";
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
