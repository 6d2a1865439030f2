import { PutWebhookRequest, WebhookAnswer } from "#shared/api.ts";
import { type Webhook, withSecret } from "#shared/domain/webhook/webhook.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import type { AddressGuard } from "../webhooks/guard-address.ts";
import { createSecret } from "../webhooks/sign.ts";
import { toWebhookDocument } from "../webhooks/webhook-document.ts";
import { WebhookParams } from "./get-webhook.ts";

export const putWebhook = ({ webhooks, guard, log }: App) =>
  defineRoute(
    {
      name: "putWebhook",
      method: "PUT",
      path: "webhooks/{name}",
      summary: "Register or change a webhook; a new one is answered with its secret, once",
      params: WebhookParams,
      body: PutWebhookRequest,
      answer: { status: 200, description: "The webhook as it is now", schema: WebhookAnswer },
    },
    async ({ params: { name }, body }) => {
      checkUrl(body.url, guard);
      const secret = createSecret();
      let isNew = false;
      const after = await webhooks.change(name, (before): Webhook => {
        isNew = before === undefined;
        return {
          name,
          url: body.url,
          events: body.events ?? before?.events ?? ["run.*"],
          pipelines: body.pipelines ?? before?.pipelines ?? [],
          isEnabled: body.isEnabled ?? before?.isEnabled ?? true,
          createdTime: before?.createdTime ?? new Date().toISOString(),
          secrets: before?.secrets ?? withSecret([], secret, Date.now(), true),
        };
      });
      log.info({ webhook: name, isNew }, "webhook written");
      const document = toWebhookDocument(after);
      return json(isNew ? 201 : 200, { ...document, ...(isNew ? { secret } : {}) } satisfies WebhookAnswer);
    },
  );

/** What can be told before anything is resolved; the rest is decided at every connection. */
function checkUrl(text: string, guard: AddressGuard): void {
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") {
    throw new MlpipeError("InvalidRequest", "url: it holds a user or password; notifications are signed instead");
  }
  const known = guard.judgeHost(hostname.replace(/^\[|\]$/g, ""));
  if (known === "refused") {
    throw new MlpipeError(
      "InvalidRequest",
      "url: its address is private, local or the platform's own; MLPIPE_WEBHOOK_ALLOW can name exceptions",
    );
  }
  if (protocol === "http:" && known !== "allowed" && guard.isEmpty) {
    throw new MlpipeError(
      "InvalidRequest",
      "url: notifications go to https only; MLPIPE_WEBHOOK_ALLOW can name exceptions",
    );
  }
}
