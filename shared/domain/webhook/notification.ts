// What is sent: a message in the form of Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks
import { z } from "zod";
import { textHash } from "../text-hash.ts";
import { NotificationType } from "./webhook.ts";

export const NotificationData = z.object({
  runId: z.string(),
  pipeline: z.string(),
  displayName: z.string().optional(),
  status: z.string(),
  node: z.string().optional(),
  attempt: z.number().int().optional(),
  jobName: z.string().optional(),
  startTime: z.string().optional(),
  endTime: z.string().optional(),
  /** Of a run that waits for somebody: whose answer to what. */
  waitsFor: z.string().optional(),
  failure: z.object({ node: z.string().optional(), reason: z.string() }).optional(),
});
export type NotificationData = z.infer<typeof NotificationData>;

export const Message = z.object({
  /** The same for every try: receivers tell a repeated message by it. */
  id: z.string(),
  type: z.union([NotificationType, z.literal("webhook.test")]),
  /** ISO 8601: when it happened. */
  timestamp: z.string(),
  data: NotificationData,
});
export type Message = z.infer<typeof Message>;

/** Characters of a failure's reason that are sent. */
const reasonLength = 1_000;

/** The message of a transition; the same transition always has the same id. */
export async function toMessage(type: NotificationType, data: NotificationData, timestamp: string): Promise<Message> {
  const { runId, node = "", attempt = 0 } = data;
  const id = `msg_${(await textHash(JSON.stringify([type, runId, node, attempt]))).slice(0, 26)}`;
  const { failure } = data;
  const short = failure === undefined ? {} : { failure: { ...failure, reason: failure.reason.slice(0, reasonLength) } };
  return { id, type, timestamp, data: { ...data, ...short } };
}

/** The body that is signed and sent. */
export function bodyOf({ type, timestamp, data }: Message): string {
  return JSON.stringify({ type, timestamp, data });
}

/** Seconds between the tries: over 20 hours in all. */
export const retrySeconds = [5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200] as const;

export const DeadLetter = z.object({
  id: z.string(),
  /** ISO 8601: when it was given up. */
  time: z.string(),
  attempts: z.number().int(),
  reason: z.string(),
  message: Message,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

export function deadLetterFolder(webhook: string): string {
  return `mlpipe/dead-letters/${webhook}/`;
}

const lastMs = 9_999_999_999_999;

/** Names that sort newest first. */
export function deadLetterId(time: number, messageId: string): string {
  return `${String(lastMs - time).padStart(13, "0")}-${messageId}`;
}
