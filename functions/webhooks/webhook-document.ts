import type { WebhookDocument } from "#shared/domain/webhook/documents.ts";
import { shownUrl, type Webhook } from "#shared/domain/webhook/webhook.ts";

/** A registration as anybody may see it. */
export function toWebhookDocument({ secrets, url, ...rest }: Webhook): WebhookDocument {
  const current = secrets.find(({ expires }) => expires === undefined);
  const previous = secrets.find(({ expires }) => expires !== undefined && Date.parse(expires) > Date.now());
  return {
    ...rest,
    url: shownUrl(url),
    secretTime: current?.createdTime ?? rest.createdTime,
    ...(previous?.expires === undefined ? {} : { previousSecretExpires: previous.expires }),
  };
}
