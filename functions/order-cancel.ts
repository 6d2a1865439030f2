// Cancelling a run, surely: a signal that meets an instance at the turn of its generation can get lost, so it is given again until
// the run shows that it has it.
import { setTimeout as sleep } from "node:timers/promises";
import type { DurableClient } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import { RunProgress } from "#shared/domain/run-progress.ts";
import { findInstance, liveStatuses } from "./instances.ts";

const mostOrders = 4;
/** Milliseconds one order is given to show. */
const patienceMs = 1_500;

/** Tells a live run to stop; returns when it has taken the order or has ended, and after some seconds in any case. */
export async function orderCancel(client: DurableClient, runId: string, reason: string): Promise<void> {
  const signal: RunSignal = { kind: "cancel", reason };
  for (let orders = 0; orders < mostOrders; orders += 1) {
    await client.raiseEvent(runId, inbox, signal);
    const until = Date.now() + patienceMs;
    for (let pauseMs = 10; Date.now() < until; pauseMs = Math.min(250, pauseMs * 2)) {
      await sleep(pauseMs);
      const status = await findInstance(client, runId);
      if (status === undefined || !liveStatuses.includes(String(status.runtimeStatus))) return;
      if (RunProgress.safeParse(status.customStatus).data?.cancelReason !== undefined) return;
    }
  }
}
