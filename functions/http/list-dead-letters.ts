import { z } from "zod";
import { DeadLetterList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { WebhookParams } from "./get-webhook.ts";

export const listDeadLetters = ({ deadLetters }: App) =>
  defineRoute(
    {
      name: "listDeadLetters",
      method: "GET",
      path: "webhooks/{name}/dead-letters",
      summary: "Messages that were given up, newest first; the last thousand are kept",
      params: WebhookParams,
      query: z.object({
        limit: z.coerce.number().int().min(1).max(200).default(50),
        continuation: z.string().max(4_000).optional(),
      }),
      answer: { status: 200, description: "A page of messages", schema: DeadLetterList },
    },
    async ({ params: { name }, query: { limit, continuation }, origin }) => {
      const { letters, continuation: rest } = await deadLetters.page(name, limit, continuation);
      if (rest === undefined) return json(200, { deadLetters: letters } satisfies DeadLetterList);
      const next = new URLSearchParams({ limit: String(limit), continuation: rest });
      const nextLink = `${origin}/api/webhooks/${name}/dead-letters?${next.toString()}`;
      return json(200, { deadLetters: letters, nextLink } satisfies DeadLetterList);
    },
  );
