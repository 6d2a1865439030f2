import { z } from "zod";
import { WebhookDocument, WebhookName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { toWebhookDocument } from "../webhooks/webhook-document.ts";

export const WebhookParams = z.object({ name: WebhookName });

export const getWebhook = ({ webhooks }: App) =>
  defineRoute(
    {
      name: "getWebhook",
      method: "GET",
      path: "webhooks/{name}",
      summary: "One webhook, without its secret",
      params: WebhookParams,
      answer: { status: 200, description: "The webhook", schema: WebhookDocument },
    },
    async ({ params }) => json(200, toWebhookDocument(await webhooks.get(params.name))),
  );
