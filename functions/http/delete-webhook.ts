import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";
import { WebhookParams } from "./get-webhook.ts";

export const deleteWebhook = ({ webhooks, log }: App) =>
  defineRoute(
    {
      name: "deleteWebhook",
      method: "DELETE",
      path: "webhooks/{name}",
      summary: "Delete a webhook; what is on its way to it is dropped",
      params: WebhookParams,
      answer: { status: 204, description: "It is gone" },
    },
    async ({ params }) => {
      await webhooks.remove(params.name);
      log.info({ webhook: params.name }, "webhook deleted");
      return { status: 204 };
    },
  );
