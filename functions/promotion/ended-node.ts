// A node that has ended, as the run itself may know it only by its status: the job that it was, and its key.
import { setTimeout as sleep } from "node:timers/promises";
import type { DurableClient } from "durable-functions";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import { findInstance } from "../instances.ts";
import type { NodeMemory } from "../reuse/node-memory.ts";

export interface EndedNode {
  readonly jobName?: string | undefined;
  /** See node-key.ts. */
  readonly key?: string | undefined;
}

/** A node tells its run of its end just before its own instance ends. */
const settleMs = 3_000;

/** A node that has run, or that another run's stands for; empty when nothing is known of it. */
export async function findEndedNode(
  client: DurableClient,
  memory: Pick<NodeMemory, "reusedBy">,
  runId: string,
  node: string,
): Promise<EndedNode> {
  const until = Date.now() + settleMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(250, pauseMs * 2)) {
    const instance = await findInstance(client, nodeInstanceId(runId, node));
    if (instance === undefined) break;
    const result = NodeResult.safeParse(instance.output).data;
    if (result !== undefined) {
      const key = result.status === "completed" ? result.remembered?.key : undefined;
      return { jobName: result.jobName, key };
    }
    if (Date.now() > until) return { jobName: NodeProgress.safeParse(instance.customStatus).data?.jobName };
    await sleep(pauseMs);
  }
  const reused = (await memory.reusedBy(runId)).find((each) => each.node === node);
  return { jobName: reused?.jobName, key: reused?.key };
}
