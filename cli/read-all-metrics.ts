import { type RunDocument, nodeStatusFacts } from "#shared/domain/run.ts";
import type { Client } from "./client.ts";
import type { RunProgress } from "./follow-run.ts";

const mostNodes = 50;

/** What the nodes of a run have logged, of a large run those of the first fifty; what cannot be read is left out. */
export async function readAllMetrics(client: Client, { runId, nodes }: RunDocument): Promise<RunProgress["metrics"]> {
  const started = nodes.filter(({ status }) => status === "running" || nodeStatusFacts[status].isSuccess);
  const read = async (node: string) =>
    [node, await client.getMetrics(runId, node).catch(() => ({ metrics: {}, params: {} }))] as const;
  return new Map(await Promise.all(started.slice(0, mostNodes).map(({ name }) => read(name))));
}
