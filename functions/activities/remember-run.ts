import type { App } from "../app.ts";

/** Writes down together what the nodes of an ended run have made. */
export function createRememberRun({ plans, reuse, log }: Pick<App, "plans" | "reuse" | "log">) {
  return async function rememberRun({ runId, keys }: { runId: string; keys: Record<string, string> }): Promise<null> {
    try {
      await reuse.rememberRun(runId, (await plans.get(runId)).plan, keys);
    } catch (error) {
      log.warn({ error, runId }, "run not remembered");
      throw error;
    }
    return null;
  };
}
