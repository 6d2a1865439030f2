import type { SendAnswer } from "#orchestrations/activities.ts";
import { bodyOf, type Message } from "#shared/domain/webhook/notification.ts";
import { liveSecrets } from "#shared/domain/webhook/webhook.ts";
import type { App } from "../app.ts";
import { postMessage } from "../webhooks/post-message.ts";
import { signatureHeaders } from "../webhooks/sign.ts";

/** One try, to where the webhook points now and signed with what it is signed with now. */
export function createSendNotification({ webhooks, guard, log }: Pick<App, "webhooks" | "guard" | "log">) {
  return async function sendNotification({
    webhook: name,
    message,
  }: {
    webhook: string;
    message: Message;
  }): Promise<SendAnswer> {
    const webhook = await webhooks.find(name);
    if (webhook === undefined || (!webhook.isEnabled && message.type !== "webhook.test")) return { kind: "gone" };
    const now = Date.now();
    const body = bodyOf(message);
    const headers = signatureHeaders(message.id, Math.floor(now / 1000), body, liveSecrets(webhook.secrets, now));
    const result = await postMessage(guard, webhook.url, body, headers);
    log.debug({ webhook: name, messageId: message.id, result: result.kind }, "notification tried");
    return result;
  };
}
