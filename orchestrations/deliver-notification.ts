// One message on its way to one webhook: an instance of its own, so that no run ever waits for a receiver.
import type { OrchestrationContext, Task } from "durable-functions";
import { type Message, retrySeconds } from "#shared/domain/webhook/notification.ts";
import { buryNotification, sendNotification } from "./activities.ts";
import { call } from "./contract.ts";

export interface DeliveryInput {
  readonly webhook: string;
  readonly message: Message;
  /** Carried from one generation to the next: how many tries have failed. */
  readonly failed?: number;
}

export type DeliveryOutput = "delivered" | "dropped" | "dead-letter";

export function* deliverNotification(
  context: OrchestrationContext,
): Generator<Task, DeliveryOutput | undefined, unknown> {
  const input = context.df.getInput<DeliveryInput>();
  const { webhook, message, failed = 0 } = input;
  const answer = yield* send(context, input);
  if (answer.kind === "delivered") return "delivered";
  if (answer.kind === "gone") return "dropped";
  const pause = retrySeconds[failed];
  if (answer.kind === "refused" || pause === undefined) {
    const { reason } = answer;
    yield* call(context, buryNotification, { webhook, message, attempts: failed + 1, reason });
    return "dead-letter";
  }
  const seconds = Math.max(pause, answer.retryAfterSeconds ?? 0);
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
  context.df.continueAsNew({ webhook, message, failed: failed + 1 });
  return undefined;
}

function* send(context: OrchestrationContext, { webhook, message }: DeliveryInput) {
  try {
    return yield* call(context, sendNotification, { webhook, message });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { kind: "failed" as const, reason, retryAfterSeconds: undefined };
  }
}
