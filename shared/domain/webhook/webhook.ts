// A webhook's registration: where notifications go, which ones, and what they are signed with.
import { z } from "zod";

export const WebhookName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, "letters, digits, `_` and `-`, at most 40, and no `_` or `-` in front");

const notificationTypes = [
  "run.started",
  "run.waiting",
  "run.completed",
  "run.failed",
  "run.canceled",
  "node.started",
  "node.completed",
  "node.reused",
  "node.failed",
  "node.canceled",
] as const;
export const NotificationType = z.enum(notificationTypes);
export type NotificationType = z.infer<typeof NotificationType>;

/** A type, all of `run.*` or `node.*`, or everything. */
export const NotificationFilter = z.enum([...notificationTypes, "run.*", "node.*", "*"]);

export const WebhookSecret = z.object({
  /** `whsec_` and the key in base64. */
  value: z.string(),
  createdTime: z.string(),
  /** ISO 8601: it signs until then; absent for the current one. */
  expires: z.string().optional(),
});
export type WebhookSecret = z.infer<typeof WebhookSecret>;

export const Webhook = z.object({
  name: WebhookName,
  url: z.string(),
  events: z.array(NotificationFilter),
  /** Names of pipelines; empty for all. */
  pipelines: z.array(z.string()),
  isEnabled: z.boolean(),
  createdTime: z.string(),
  /** The current one first. */
  secrets: z.array(WebhookSecret),
});
export type Webhook = z.infer<typeof Webhook>;

/** Whether a webhook wants to be told of this. */
export function wants(webhook: Webhook, type: NotificationType, pipeline: string): boolean {
  if (!webhook.isEnabled) return false;
  if (webhook.pipelines.length > 0 && !webhook.pipelines.includes(pipeline)) return false;
  return webhook.events.some((filter) => filter === "*" || filter === type || filter === `${type.split(".", 1)[0]}.*`);
}

/** How long the secret before the current one goes on signing. */
export const overlapHours = 24;

/** The secrets after a new one was made: the one before it signs on for a while, older ones go. */
export function withSecret(
  secrets: readonly WebhookSecret[],
  value: string,
  now: number,
  revokesOld: boolean,
): WebhookSecret[] {
  const current = secrets.find(({ expires }) => expires === undefined);
  const expires = new Date(now + overlapHours * 3_600_000).toISOString();
  return [
    { value, createdTime: new Date(now).toISOString() },
    ...(current === undefined || revokesOld ? [] : [{ ...current, expires }]),
  ];
}

/** Those that sign now. */
export function liveSecrets(secrets: readonly WebhookSecret[], now: number): string[] {
  return secrets.filter(({ expires }) => expires === undefined || Date.parse(expires) > now).map(({ value }) => value);
}

/** The address without what may open it: the query is often a signature. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}

export const webhookFolder = "mlpipe/webhooks/";

export function webhookPath(name: string): string {
  return `${webhookFolder}${name}.json`;
}
