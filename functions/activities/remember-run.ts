import { setTimeout as sleep } from "node:timers/promises";
import type { DurableClient } from "durable-functions";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeResult } from "#shared/domain/node-result.ts";
import type { RememberedNode } from "#shared/domain/remembered-node.ts";
import type { App } from "../app.ts";
import { inBatches } from "../in-batches.ts";
import { findInstance } from "../instances.ts";

/** A node reports first and remembers then, so the last ones may not have done so yet. */
const patienceMs = 300;

/** Writes down together what the nodes of a run have made, as this process or the nodes' own instances know it. */
export function createRememberRun({ plans, memory, reuse, log }: Pick<App, "plans" | "memory" | "reuse" | "log">) {
  async function find(client: DurableClient, runId: string, node: string): Promise<RememberedNode | undefined> {
    const known = memory.justRemembered(runId, node);
    if (known !== undefined) return known;
    const result = NodeResult.safeParse((await findInstance(client, nodeInstanceId(runId, node)))?.output).data;
    return result?.status === "completed" ? result.remembered : undefined;
  }

  return async function rememberRun(
    { runId, nodes }: { runId: string; nodes: string[] },
    client: DurableClient,
  ): Promise<null> {
    const found: Record<string, RememberedNode> = {};
    let missing = nodes;
    for (const pauseMs of [0, patienceMs]) {
      if (missing.length > 0 && pauseMs > 0) await sleep(pauseMs);
      const answers = await inBatches(missing, (node) => find(client, runId, node));
      for (const answer of answers) if (answer !== undefined) found[answer.node] = answer;
      missing = nodes.filter((node) => !Object.hasOwn(found, node));
    }
    try {
      await reuse.rememberRun(runId, (await plans.get(runId)).plan, found);
    } catch (error) {
      log.warn({ error, runId }, "run not remembered");
      throw error;
    }
    return null;
  };
}
