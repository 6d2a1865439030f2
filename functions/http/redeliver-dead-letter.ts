import { z } from "zod";
import { DeadLetter } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { WebhookParams } from "./get-webhook.ts";

export const redeliverDeadLetter = ({ webhooks, deadLetters, notifications }: App) =>
  defineRoute(
    {
      name: "redeliverDeadLetter",
      method: "POST",
      path: "webhooks/{name}/dead-letters/{id}/redeliver",
      summary: "Send a message that was given up once more, with all its tries",
      params: WebhookParams.extend({ id: z.string().regex(/^\d{13}-msg_\w{1,40}$/) }),
      answer: { status: 202, description: "It is on its way and no dead letter any more", schema: DeadLetter },
    },
    async ({ params: { name, id }, client }) => {
      await webhooks.get(name);
      const letter = await deadLetters.find(name, id);
      if (letter === undefined) throw new MlpipeError("NotFound", `Webhook ${name} has no dead letter ${id}`);
      await notifications.redeliver(client, name, letter);
      await deadLetters.remove(name, id);
      return json(202, letter);
    },
  );
