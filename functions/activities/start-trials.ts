import type { DurableClient } from "durable-functions";
import type { NodeInput } from "#orchestrations/run-node.ts";
import type { NodeMachines } from "#shared/domain/cost/machine-time.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import type { NodePolicy } from "#shared/domain/node-policy.ts";
import { startOnce } from "../instances.ts";

export interface TrialsToStart {
  readonly runId: string;
  readonly planNode: string;
  readonly component: string;
  readonly instanceTypes: string[];
  readonly timeoutSeconds?: number | undefined;
  readonly policy?: NodePolicy | undefined;
  readonly isLimited?: boolean | undefined;
  readonly machines?: NodeMachines | undefined;
  readonly upstream: Record<string, string>;
  readonly trials: { node: string; values: Record<string, string> }[];
}

/** Starts trials as nodes of their own: starting one twice starts it once. */
export async function startTrials(
  { trials, planNode, timeoutSeconds, policy, isLimited, machines, ...shared }: TrialsToStart,
  client: DurableClient,
): Promise<null> {
  await Promise.all(
    trials.map(({ node, values }) => {
      const input: NodeInput = {
        ...shared,
        node,
        kind: "command",
        trial: { planNode, values },
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        ...(policy === undefined ? {} : { policy }),
        ...(isLimited === undefined ? {} : { isLimited }),
        ...(machines === undefined ? {} : { machines }),
      };
      return startOnce(client, "runNode", nodeInstanceId(shared.runId, node), input);
    }),
  );
  return null;
}
