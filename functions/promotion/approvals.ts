// The answer of a run whose model somebody has to agree to. It is a record and written once: who answers second, late or twice is
// told what stands. The run learns of it by a signal, which may get lost, or by looking.
import { setTimeout as sleep } from "node:timers/promises";
import type { DurableClient } from "durable-functions";
import { inbox, type NodeSignal } from "#orchestrations/signals.ts";
import type { Records } from "#shared/azure/records.ts";
import { approvalPath, nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress } from "#shared/domain/node-result.ts";
import { ApprovalAnswer } from "#shared/domain/promotion/promotion.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/** Times the run is told before it is left to look by itself, and milliseconds each of them is given to show. */
const mostSignals = 4;
const patienceMs = 1_500;

export type Approvals = ReturnType<typeof createApprovals>;

export function createApprovals({ records }: { records: Records }) {
  async function read(runId: string): Promise<ApprovalAnswer | undefined> {
    const found = await records.read(approvalPath(runId));
    return found === undefined ? undefined : ApprovalAnswer.parse(JSON.parse(found.text));
  }

  return {
    read,

    /** Writes the answer down unless there is one. @returns the one that stands */
    async settle(runId: string, answer: ApprovalAnswer): Promise<ApprovalAnswer> {
      const isFirst = await records.replace(approvalPath(runId), JSON.stringify(answer), undefined);
      return isFirst ? answer : ((await read(runId)) ?? answer);
    },

    /** Has the node that waits look at the answer; returns when it no longer waits, and after some seconds in any case. */
    async wake(client: DurableClient, runId: string, node: string): Promise<void> {
      const instanceId = nodeInstanceId(runId, node);
      const signal: NodeSignal = { kind: "answered" };
      for (let signals = 0; signals < mostSignals; signals += 1) {
        if (!(await isWaiting(client, instanceId))) return;
        // An instance that ends at this moment takes no signal and needs none.
        await client.raiseEvent(instanceId, inbox, signal).catch(() => undefined);
        const until = Date.now() + patienceMs;
        for (let pauseMs = 10; Date.now() < until; pauseMs = Math.min(250, pauseMs * 2)) {
          await sleep(pauseMs);
          if (!(await isWaiting(client, instanceId))) return;
        }
      }
    },
  };
}

async function isWaiting(client: DurableClient, instanceId: string): Promise<boolean> {
  const status = await findInstance(client, instanceId);
  if (status === undefined || !liveStatuses.includes(String(status.runtimeStatus))) return false;
  const { requestedTime, answer } = NodeProgress.safeParse(status.customStatus).data?.promotion?.approval ?? {};
  return requestedTime !== undefined && answer === undefined;
}
