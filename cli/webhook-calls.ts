// The routes of webhooks.
import {
  DeadLetter,
  DeadLetterList,
  type PutWebhookRequest,
  WebhookAnswer,
  WebhookList,
  WebhookTestAnswer,
} from "#shared/api.ts";
import type { Caller } from "./call-api.ts";

export function createWebhookCalls({ call, read }: Caller) {
  const webhookPath = (name: string) => `/webhooks/${encodeURIComponent(name)}`;

  return {
    listWebhooks: () => read(WebhookList, "/webhooks"),

    /** Not repeated by itself: only the first answer holds the secret. */
    putWebhook: (name: string, body: PutWebhookRequest) =>
      read(WebhookAnswer, webhookPath(name), { method: "PUT", body, isRepeatable: false }),

    deleteWebhook: async (name: string) => {
      await call(webhookPath(name), { method: "DELETE", isRepeatable: false });
    },

    rotateWebhookSecret: (name: string, revokesOld: boolean) =>
      read(WebhookAnswer, `${webhookPath(name)}/secret`, { method: "POST", body: { revokesOld } }),

    testWebhook: (name: string) => read(WebhookTestAnswer, `${webhookPath(name)}/test`, { method: "POST" }),

    listDeadLetters: (name: string, limit: number) =>
      read(DeadLetterList, `${webhookPath(name)}/dead-letters?limit=${limit}`),

    redeliver: (name: string, id: string) =>
      read(DeadLetter, `${webhookPath(name)}/dead-letters/${encodeURIComponent(id)}/redeliver`, { method: "POST" }),
  };
}
