// A stack of a test file's own: its faults and limits are nobody else's.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureHostKeys } from "#local/host/host-keys.ts";
import { startStack } from "#local/stack.ts";
import { stateFolder } from "#local/stack-plan.ts";
import { createApp } from "../suite/app.ts";
import { createControls } from "../suite/controls.ts";

export type OwnStack = Awaited<ReturnType<typeof startOwnStack>>;

/** @param environment settings of the app */
export async function startOwnStack(environment: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(tmpdir(), "mlpipe-resilience-"));
  const stack = await startStack({ home, environment });
  const keys = ensureHostKeys(stateFolder(home, "host"));
  return {
    stack,
    app: createApp(stack),
    controls: createControls(stack),

    /** Runs a timer function now. https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http */
    async runTimer(name: string): Promise<void> {
      const answer = await fetch(`${stack.url}/admin/functions/${name}`, {
        method: "POST",
        headers: { "x-functions-key": keys.master, "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.timeout(60_000),
      });
      if (answer.status !== 202) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    },

    /** Ends an instance as a hand on the durable store would: nobody is told. */
    async terminate(instanceId: string): Promise<void> {
      const address = `${stack.url}/runtime/webhooks/durabletask/instances/${encodeURIComponent(instanceId)}/terminate`;
      const answer = await fetch(`${address}?reason=test&code=${keys.system.durabletask_extension}`, {
        method: "POST",
      });
      if (answer.status !== 202) throw new Error(`terminate ${instanceId}: ${answer.status} ${await answer.text()}`);
    },

    async stop(): Promise<void> {
      await stack.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
