import { WebhookTestAnswer } from "#shared/api.ts";
import type { Message } from "#shared/domain/webhook/notification.ts";
import { createSendNotification } from "../activities/send-notification.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { WebhookParams } from "./get-webhook.ts";

export const testWebhook = (app: App) => {
  const send = createSendNotification(app);
  return defineRoute(
    {
      name: "testWebhook",
      method: "POST",
      path: "webhooks/{name}/test",
      summary: "Send one message of type `webhook.test` now and say what came of it",
      params: WebhookParams,
      answer: { status: 200, description: "What came of it", schema: WebhookTestAnswer },
    },
    async ({ params: { name } }) => {
      await app.webhooks.get(name);
      const message: Message = {
        id: `msg_${crypto.randomUUID().replaceAll("-", "").slice(0, 26)}`,
        type: "webhook.test",
        timestamp: new Date().toISOString(),
        data: { runId: "none", pipeline: "none", status: "completed" },
      };
      const result = await send({ webhook: name, message });
      const answer: WebhookTestAnswer =
        result.kind === "delivered"
          ? { isDelivered: true, status: result.status }
          : { isDelivered: false, reason: result.kind === "gone" ? "it was deleted" : result.reason };
      return json(200, answer);
    },
  );
};
