import { RotateSecretRequest, WebhookAnswer } from "#shared/api.ts";
import { withSecret } from "#shared/domain/webhook/webhook.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { createSecret } from "../webhooks/sign.ts";
import { toWebhookDocument } from "../webhooks/webhook-document.ts";
import { WebhookParams } from "./get-webhook.ts";

export const rotateWebhookSecret = ({ webhooks, log }: App) =>
  defineRoute(
    {
      name: "rotateWebhookSecret",
      method: "POST",
      path: "webhooks/{name}/secret",
      summary: "Make a new secret, shown once; the one before signs for another day as well",
      params: WebhookParams,
      body: RotateSecretRequest,
      answer: { status: 200, description: "The webhook with its new secret", schema: WebhookAnswer },
    },
    async ({ params: { name }, body }) => {
      const secret = createSecret();
      const after = await webhooks.change(name, (before) => {
        if (before === undefined) throw new MlpipeError("NotFound", `There is no webhook ${name}`);
        return { ...before, secrets: withSecret(before.secrets, secret, Date.now(), body.revokesOld === true) };
      });
      log.info({ webhook: name }, "webhook secret changed");
      return json(200, { ...toWebhookDocument(after), secret } satisfies WebhookAnswer);
    },
  );
