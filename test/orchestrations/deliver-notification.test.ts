import { describe, expect, test } from "vitest";
import { deliverNotification } from "#orchestrations/deliver-notification.ts";
import { retrySeconds } from "#shared/domain/webhook/notification.ts";
import { play } from "./stage.ts";

const message = {
  id: "msg_1",
  type: "run.completed",
  timestamp: "2026-01-05T10:00:00.000Z",
  data: { runId: "r", pipeline: "p", status: "completed" },
};
const input = { webhook: "ops", message };

/** Plays with these answers of the tries, the last one again and again. */
function deliver(answers: readonly unknown[]) {
  let tries = 0;
  const { output, stage } = play(deliverNotification, {
    input,
    activity: ({ name }) => {
      if (name !== "sendNotification") return null;
      const answer = answers[Math.min(tries, answers.length - 1)];
      tries += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    event: () => undefined,
  });
  return { output, stage, tries, buried: stage.calls.find(({ name }) => name === "buryNotification")?.input };
}

describe("a notification on its way", () => {
  test("that is delivered is done after one try", () => {
    const { output, stage, tries } = deliver([{ kind: "delivered", status: 204 }]);
    expect([output, tries, stage.elapsedSeconds]).toEqual(["delivered", 1, 0]);
  });

  test("is tried again after ever longer pauses, each time with a fresh history", () => {
    const down = { kind: "failed", reason: "it answered 503" };
    const { output, stage, tries } = deliver([
      down,
      new Error("the store is down"),
      down,
      { kind: "delivered", status: 200 },
    ]);
    expect([output, tries, stage.generations]).toEqual(["delivered", 4, 4]);
    expect(stage.elapsedSeconds).toBe(5 + 30 + 120);
  });

  test("waits as long as the receiver asks for", () => {
    const busy = { kind: "failed", reason: "it answered 429", retryAfterSeconds: 900 };
    expect(deliver([busy, { kind: "delivered", status: 200 }]).stage.elapsedSeconds).toBe(900);
  });

  test("becomes a dead letter when all tries have failed", () => {
    const { output, stage, tries, buried } = deliver([{ kind: "failed", reason: "it answered 500" }]);
    expect([output, tries]).toEqual(["dead-letter", retrySeconds.length + 1]);
    expect(stage.elapsedSeconds).toBe(retrySeconds.reduce((sum, seconds) => sum + seconds, 0));
    expect(buried).toEqual({ ...input, attempts: retrySeconds.length + 1, reason: "it answered 500" });
  });

  test("becomes a dead letter at once when its destination is refused", () => {
    const { output, tries, buried } = deliver([{ kind: "refused", reason: "its address is private" }]);
    expect([output, tries]).toEqual(["dead-letter", 1]);
    expect(buried).toEqual({ ...input, attempts: 1, reason: "its address is private" });
  });

  test("is dropped when its webhook is gone", () => {
    expect(deliver([{ kind: "gone" }])).toMatchObject({ output: "dropped", tries: 1, buried: undefined });
  });
});
