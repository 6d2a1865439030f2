import { describe, expect, test } from "vitest";
import { bodyOf, deadLetterId, retrySeconds, toMessage } from "#shared/domain/webhook/notification.ts";
import {
  liveSecrets,
  overlapHours,
  shownUrl,
  type Webhook,
  wants,
  withSecret,
} from "#shared/domain/webhook/webhook.ts";

const webhook: Webhook = {
  name: "w",
  url: "https://hooks.example/a?sig=secret",
  events: ["run.*"],
  pipelines: [],
  isEnabled: true,
  createdTime: "2026-01-05T10:00:00.000Z",
  secrets: [],
};

describe("a webhook", () => {
  test("is told of what it asked for", () => {
    expect(wants(webhook, "run.failed", "p")).toBe(true);
    expect(wants(webhook, "node.failed", "p")).toBe(false);
    expect(wants({ ...webhook, events: ["*"] }, "node.failed", "p")).toBe(true);
    expect(wants({ ...webhook, events: ["node.failed"] }, "node.completed", "p")).toBe(false);
    expect(wants({ ...webhook, pipelines: ["q"] }, "run.failed", "p")).toBe(false);
    expect(wants({ ...webhook, isEnabled: false }, "run.failed", "p")).toBe(false);
  });

  test("shows its address without the query", () => {
    expect(shownUrl(webhook.url)).toBe("https://hooks.example/a?…");
    expect(shownUrl("https://hooks.example/a")).toBe("https://hooks.example/a");
  });

  test("signs with the old secret too for a while after a change, never with more than two", () => {
    const now = Date.parse("2026-01-05T10:00:00.000Z");
    const hour = 3_600_000;
    const first = withSecret([], "a", now, false);
    const second = withSecret(first, "b", now, false);
    const third = withSecret(second, "c", now + hour, false);
    expect(liveSecrets(second, now)).toEqual(["b", "a"]);
    expect(liveSecrets(second, now + overlapHours * hour)).toEqual(["b"]);
    expect(liveSecrets(third, now + hour)).toEqual(["c", "b"]);
    expect(liveSecrets(withSecret(first, "b", now, true), now)).toEqual(["b"]);
  });
});

describe("a message", () => {
  const data = { runId: "r", pipeline: "p", status: "failed" };

  test("of the same transition always has the same id, another has another", async () => {
    const { id } = await toMessage("run.failed", data, "2026-01-05T10:00:00.000Z");
    expect(id).toMatch(/^msg_[0-9a-f]{26}$/);
    expect((await toMessage("run.failed", data, "2027-01-05T10:00:00.000Z")).id).toBe(id);
    expect((await toMessage("node.failed", { ...data, node: "n" }, "t")).id).not.toBe(id);
    expect((await toMessage("node.failed", { ...data, node: "n", attempt: 2 }, "t")).id).not.toBe(
      (await toMessage("node.failed", { ...data, node: "n", attempt: 1 }, "t")).id,
    );
  });

  test("tells a bounded part of a failure", async () => {
    const message = await toMessage("run.failed", { ...data, failure: { reason: "x".repeat(5_000) } }, "t");
    expect(message.data.failure?.reason).toHaveLength(1_000);
    expect(JSON.parse(bodyOf(message))).toEqual({ type: "run.failed", timestamp: "t", data: message.data });
  });

  test("is tried for the better part of a day, ever more rarely", () => {
    expect(retrySeconds.toSorted((a, b) => a - b)).toEqual([...retrySeconds]);
    expect(retrySeconds.reduce((sum, seconds) => sum + seconds, 0)).toBeGreaterThan(20 * 3_600);
  });

  test("that is given up has a name that sorts newest first", () => {
    const ids = [1, 2, 3_000_000_000_000].map((time) => deadLetterId(time, "msg_a"));
    expect(ids.toSorted()).toEqual(ids.toReversed());
  });
});
