// Tells webhooks of a transition by starting a delivery for each that wants it. Never stands in the way of what it tells of: a
// store that does not answer costs the notification and nothing else.
import type { DurableClient } from "durable-functions";
import type { DeliveryInput } from "#orchestrations/deliver-notification.ts";
import {
  type DeadLetter,
  type Message,
  type NotificationData,
  toMessage,
} from "#shared/domain/webhook/notification.ts";
import { type NotificationType, wants } from "#shared/domain/webhook/webhook.ts";
import { type Log, withoutSecrets } from "#shared/log.ts";
import { findInstance, startOnce } from "../instances.ts";
import type { Webhooks } from "./webhooks.ts";

export interface Transition {
  readonly type: NotificationType;
  readonly data: NotificationData;
  /** ISO 8601: when it happened. */
  readonly time: string;
}

export type Notifications = ReturnType<typeof createNotifications>;

export function createNotifications({ webhooks, log }: { webhooks: Webhooks; log: Log }) {
  async function start(client: DurableClient, webhook: string, message: Message): Promise<void> {
    const instanceId = `notify:${webhook}:${message.id}`;
    // Whoever tells may tell again: a message that was on its way, or is there, is not sent a second time.
    if ((await findInstance(client, instanceId)) !== undefined) return;
    const input: DeliveryInput = { webhook, message };
    await startOnce(client, "deliverNotification", instanceId, input);
  }

  return {
    /** Whether anybody wants to be told of anything. */
    async isWatched(): Promise<boolean> {
      try {
        return (await webhooks.recent()).some(({ isEnabled }) => isEnabled);
      } catch {
        return true;
      }
    },

    /** Starts all over with a message that was given up; asked twice, it goes once. */
    async redeliver(client: DurableClient, webhook: string, { id, message }: DeadLetter): Promise<void> {
      const input: DeliveryInput = { webhook, message };
      await startOnce(client, "deliverNotification", `notify:${webhook}:${id}`, input);
    },

    async tell(client: DurableClient, transitions: readonly Transition[]): Promise<void> {
      try {
        const known = await webhooks.all();
        if (known.length === 0) return;
        for (const { type, data, time } of transitions) {
          const wanted = known.filter((webhook) => wants(webhook, type, data.pipeline));
          if (wanted.length === 0) continue;
          const message = await toMessage(type, withoutSecretReason(data), time);
          await Promise.all(wanted.map(({ name }) => start(client, name, message)));
        }
      } catch (error) {
        log.warn(
          { error, transitions: transitions.map(({ type, data }) => `${type} ${data.runId}`) },
          "notification lost",
        );
      }
    },
  };
}

function withoutSecretReason(data: NotificationData): NotificationData {
  const { failure } = data;
  return failure === undefined ? data : { ...data, failure: { ...failure, reason: withoutSecrets(failure.reason) } };
}
