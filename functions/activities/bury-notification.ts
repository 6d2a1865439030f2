import { deadLetterId, type Message } from "#shared/domain/webhook/notification.ts";
import type { App } from "../app.ts";

/** Keeps a message that could not be handed over, for a person to look at and to send again. */
export function createBuryNotification({ deadLetters, log }: Pick<App, "deadLetters" | "log">) {
  return async function buryNotification(about: {
    webhook: string;
    message: Message;
    attempts: number;
    reason: string;
  }): Promise<null> {
    const { webhook, message, attempts, reason } = about;
    const now = Date.now();
    await deadLetters.add(webhook, {
      id: deadLetterId(now, message.id),
      time: new Date(now).toISOString(),
      attempts,
      reason,
      message,
    });
    log.warn({ webhook, messageId: message.id, attempts, reason }, "notification given up");
    return null;
  };
}
