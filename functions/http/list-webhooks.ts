import { WebhookList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { toWebhookDocument } from "../webhooks/webhook-document.ts";

export const listWebhooks = ({ webhooks }: App) =>
  defineRoute(
    {
      name: "listWebhooks",
      method: "GET",
      path: "webhooks",
      summary: "Every webhook, without its secret",
      answer: { status: 200, description: "By name", schema: WebhookList },
    },
    async () => json(200, { webhooks: (await webhooks.all(0)).map(toWebhookDocument) } satisfies WebhookList),
  );
