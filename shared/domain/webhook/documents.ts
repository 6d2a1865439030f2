// What the API says of webhooks. A secret is in the one answer that makes it, and in no other.
import { z } from "zod";
import { DeadLetter } from "./notification.ts";
import { NotificationFilter, Webhook } from "./webhook.ts";

export const PutWebhookRequest = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  /** `run.*` when absent. */
  events: z.array(NotificationFilter).min(1).max(20).optional(),
  /** Names of pipelines; all when absent. */
  pipelines: z.array(z.string().max(80)).max(100).optional(),
  /** False keeps the registration and sends nothing. */
  isEnabled: z.boolean().optional(),
});
export type PutWebhookRequest = z.infer<typeof PutWebhookRequest>;

export const WebhookDocument = Webhook.pick({
  name: true,
  events: true,
  pipelines: true,
  isEnabled: true,
  createdTime: true,
}).extend({
  /** Without its query, which may be a key. */
  url: z.string(),
  /** When the secret it is signed with was made. */
  secretTime: z.string(),
  /** Until when the one before signs as well. */
  previousSecretExpires: z.string().optional(),
});
export type WebhookDocument = z.infer<typeof WebhookDocument>;

/** `secret` is here when this request has made it, and never shown again. */
export const WebhookAnswer = WebhookDocument.extend({ secret: z.string().optional() });
export type WebhookAnswer = z.infer<typeof WebhookAnswer>;

export const WebhookList = z.object({ webhooks: z.array(WebhookDocument) });
export type WebhookList = z.infer<typeof WebhookList>;

export const RotateSecretRequest = z.strictObject({
  /** True ends the secret before this one at once instead of in a day. */
  revokesOld: z.boolean().optional(),
});

export const WebhookTestAnswer = z.object({
  isDelivered: z.boolean(),
  status: z.number().optional(),
  reason: z.string().optional(),
});
export type WebhookTestAnswer = z.infer<typeof WebhookTestAnswer>;

export const DeadLetterList = z.object({ deadLetters: z.array(DeadLetter), nextLink: z.string().optional() });
export type DeadLetterList = z.infer<typeof DeadLetterList>;
