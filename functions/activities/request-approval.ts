import type { DurableClient } from "durable-functions";
import type { App } from "../app.ts";

/** Tells webhooks that a run waits for somebody to answer. */
export function createRequestApproval({ plans, notifications }: Pick<App, "plans" | "notifications">) {
  return async function requestApproval(
    { runId, node, question, time }: { runId: string; node: string; question: string; time: string },
    client: DurableClient,
  ): Promise<null> {
    if (!(await notifications.isWatched())) return null;
    const { plan, createdTime } = await plans.get(runId);
    const { pipeline, displayName } = plan;
    const data = {
      runId,
      pipeline,
      ...(displayName === undefined ? {} : { displayName }),
      status: "running",
      node,
      startTime: createdTime,
      waitsFor: question,
    };
    await notifications.tell(client, [{ type: "run.waiting", data, time }]);
    return null;
  };
}
