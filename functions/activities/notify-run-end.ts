import type { DurableClient } from "durable-functions";
import type { NotificationData } from "#shared/domain/webhook/notification.ts";
import type { App } from "../app.ts";

/** Tells webhooks that a run has ended. */
export function createNotifyRunEnd({ plans, notifications }: Pick<App, "plans" | "notifications">) {
  return async function notifyRunEnd(
    {
      runId,
      status,
      failure,
      time,
    }: {
      runId: string;
      status: "completed" | "failed" | "canceled";
      failure?: NotificationData["failure"];
      time: string;
    },
    client: DurableClient,
  ): Promise<null> {
    if (!(await notifications.isWatched())) return null;
    const { plan, createdTime } = await plans.get(runId);
    const data: NotificationData = {
      runId,
      pipeline: plan.pipeline,
      ...(plan.displayName === undefined ? {} : { displayName: plan.displayName }),
      status,
      startTime: createdTime,
      endTime: time,
      ...(failure === undefined ? {} : { failure }),
    };
    await notifications.tell(client, [{ type: `run.${status}`, data, time }]);
    return null;
  };
}
