// Asks every live run to compare itself with its nodes' own instances, so that nothing waits for ever on a signal that a crash
// or a hand on the durable store kept from it.
import { type DurableClient, OrchestrationRuntimeStatus } from "durable-functions";
import { inbox, type RunSignal } from "#orchestrations/signals.ts";
import type { App } from "../app.ts";

export const checkRuns = ({ log }: App) => ({
  name: "checkRuns",
  /** Every ten minutes (NCRONTAB, seconds first). */
  schedule: "0 */10 * * * *",
  async handle(client: DurableClient): Promise<void> {
    const live = await client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Running] });
    const signal: RunSignal = { kind: "check" };
    for (const { name, instanceId } of live) {
      if (name === "runPipeline") await client.raiseEvent(instanceId, inbox, signal);
    }
    log.debug({ instances: live.length }, "runs checked");
  },
});
