import { describe, expect, test } from "vitest";
import { type NodeInput, runNode } from "#orchestrations/run-node.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { type Call, play } from "./stage.ts";

const input: NodeInput = {
  runId: "r1",
  node: "train",
  kind: "command",
  component: "other",
  instanceTypes: ["A"],
  upstream: {},
  machines: { instanceCount: 1, isCapped: true },
};
/** A dollar an hour. */
const rate = 1_000_000;
const minutes = (count: number) => Math.round((rate * count) / 60);

interface Story {
  readonly activity: (call: Call, count: number, stage: { elapsedSeconds: number }) => unknown;
  readonly event?: (wait: number) => unknown;
}

function live({ activity, event = () => undefined }: Story) {
  const counts: Record<string, number> = {};
  const told = { elapsedSeconds: 0 };
  const { output, stage } = play(runNode, {
    input,
    event: (wait, at) => {
      told.elapsedSeconds = at.elapsedSeconds;
      return event(wait);
    },
    activity(call) {
      const count = (counts[call.name] = (counts[call.name] ?? 0) + 1);
      const answer = activity(call, count, told);
      if (answer !== undefined) return answer;
      if (call.name === "submitJob") return { kind: "submitted", jobName: "r1-train-1", jobStatus: "NotStarted" };
      if (call.name === "getJob") return { jobStatus: "Running" };
      if (call.name === "collectOutputs") return { outputs: {} };
      if (call.name === "describeFailure") return { reason: "it was cancelled", exitCode: 143 };
      return call.name === "cancelJob" ? { isTaken: true } : null;
    },
  });
  const calls = (name: string) => stage.calls.filter((call) => call.name === name).map((call) => call.input);
  return { output: output as NodeResult, stage, calls, names: stage.calls.map(({ name }) => name) };
}

const lent = (allowance: number, more: object = {}) => ({
  kind: "lent",
  rate,
  allowance,
  reason: "the cap is near",
  ...more,
});

describe("a node of a run with a cap", () => {
  test("asks for money before its job, hands the service its limit, and takes down what it has cost", () => {
    const { output, calls, names } = live({
      activity: ({ name }) => {
        if (name === "lendMoney") return lent(minutes(11), { ceilingSeconds: 18_000 });
        return name === "getJob" ? { jobStatus: "Completed", outcome: "completed" } : undefined;
      },
      event: () => ({ kind: "job-ended" }),
    });
    expect(names.slice(0, 2)).toEqual(["lendMoney", "submitJob"]);
    expect(calls("lendMoney")).toEqual([
      { runId: "r1", node: "train", jobName: "r1-train-1", instanceType: "A", step: 1, used: 0 },
    ]);
    expect(calls("submitJob")).toMatchObject([{ ceilingSeconds: 18_000 }]);
    expect(calls("settleMoney")).toEqual([{ runId: "r1", node: "train", jobName: "r1-train-1", cost: 0 }]);
    expect(output).toMatchObject({ status: "completed", timing: { queued: 0, machine: 0 } });
  });

  test("fails without a job when there is no money, and says why", () => {
    const reason = "the cap of $5.00 is reached: $4.20 spent";
    const { output, calls } = live({
      activity: ({ name }) => (name === "lendMoney" ? { kind: "refused", reason, mayWait: false } : undefined),
    });
    expect(output).toMatchObject({ status: "failed", failure: { class: "cost-cap", reason } });
    expect(calls("submitJob")).toEqual([]);
  });

  test("waits while others may give some back", () => {
    const { output, calls, stage } = live({
      activity: ({ name }, count) => {
        if (name === "lendMoney")
          return count < 3 ? { kind: "refused", reason: "it is lent", mayWait: true } : lent(minutes(11));
        return name === "getJob" ? { jobStatus: "Completed", outcome: "completed" } : undefined;
      },
    });
    expect(output.status).toBe("completed");
    expect(calls("lendMoney")).toHaveLength(3);
    expect(stage.statuses).toContainEqual(expect.objectContaining({ waitsFor: "money: it is lent" }));
  });

  test("asks again before its money is gone, and cancels its job a minute before when there is no more", () => {
    let canceledAfter = 0;
    const { output, calls } = live({
      activity({ name }, _count, { elapsedSeconds }) {
        // Eleven minutes and no more: the last of them is for the way to the end.
        if (name === "lendMoney") return lent(minutes(11));
        if (name === "cancelJob") canceledAfter = elapsedSeconds;
        return name === "getJob" && canceledAfter > 0 ? { jobStatus: "Canceled", outcome: "canceled" } : undefined;
      },
    });
    expect(calls("cancelJob")).toHaveLength(1);
    expect(canceledAfter).toBeCloseTo(600, 1);
    expect(output).toMatchObject({ status: "failed", failure: { class: "cost-cap", reason: "the cap is near" } });
    const steps = calls("lendMoney").map((request) => (request as { step: number }).step);
    expect(steps).toEqual(steps.map((_step, index) => index + 1));
  });

  test("pays nothing in the queue, however long, and looks often enough to know when it has left it", () => {
    const { output, calls, stage } = live({
      activity({ name }, count) {
        if (name === "lendMoney") return lent(minutes(11));
        if (name !== "getJob") return undefined;
        return count <= 300 ? { jobStatus: "Queued" } : { jobStatus: "Completed", outcome: "completed" };
      },
    });
    expect(stage.elapsedSeconds).toBeGreaterThan(4 * 3600);
    expect(calls("lendMoney")).toHaveLength(1);
    expect(calls("settleMoney")).toMatchObject([{ cost: minutes(1) }]);
    expect(output).toMatchObject({ status: "completed", machineTime: { A: 60 }, timing: { machine: 60 } });
  });

  test("is charged to the end that the service tells, not to when it was noticed", () => {
    const { calls } = live({
      activity({ name }) {
        if (name === "lendMoney") return lent(minutes(11));
        const endTime = "2026-01-05T10:00:03.000Z";
        return name === "getJob" ? { jobStatus: "Completed", outcome: "completed", endTime } : undefined;
      },
    });
    expect(calls("settleMoney")).toMatchObject([{ cost: Math.ceil((rate * 3) / 3600) }]);
  });

  test("goes on by what it has while the ledger is out of reach, asks again soon, and stops in time", () => {
    let canceledAfter = 0;
    const { output, calls } = live({
      activity({ name }, count, { elapsedSeconds }) {
        if (name === "lendMoney" && count === 1) return lent(minutes(11));
        if (name === "lendMoney") throw new Error("the store does not answer");
        if (name === "cancelJob") canceledAfter = elapsedSeconds;
        return name === "getJob" && canceledAfter > 0 ? { jobStatus: "Canceled", outcome: "canceled" } : undefined;
      },
    });
    expect(canceledAfter).toBeCloseTo(600, 1);
    expect(calls("lendMoney").length).toBeGreaterThan(10);
    expect(output).toMatchObject({
      failure: {
        class: "cost-cap",
        reason: "the ledger of the run's cap cannot be reached: the store does not answer",
      },
    });
  });

  test("waits for a ledger that is out of reach before it has a job, and gives up after an hour", () => {
    const { output, calls, stage } = live({
      activity({ name }) {
        if (name === "lendMoney") throw new Error("the store does not answer");
      },
    });
    expect(output).toMatchObject({ status: "failed", failure: { class: "storage" } });
    expect(stage.elapsedSeconds).toBeGreaterThanOrEqual(3600);
    expect(calls("submitJob")).toEqual([]);
  });

  test("keeps the money of a job that is silent, from when its machine counts", () => {
    const { calls } = live({
      activity({ name }, count) {
        if (name === "lendMoney")
          return count > 4 ? { kind: "refused", reason: "gone", mayWait: false } : lent(minutes(600));
        return name === "getJob" ? { jobStatus: "NotResponding" } : undefined;
      },
    });
    expect(calls("settleMoney")[0]).toMatchObject({ jobName: "r1-train-1", lostSince: "2026-01-05T10:00:00.000Z" });
  });

  test("keeps its money while nobody knows whether a submission was taken, and gives it back when it was refused", () => {
    const { calls, names } = live({
      activity({ name }, count) {
        if (name === "lendMoney") return lent(minutes(11));
        if (name !== "submitJob") return undefined;
        return count < 4 ? { kind: "unavailable", reason: "no answer" } : { kind: "rejected", reason: "not so" };
      },
    });
    expect(calls("lendMoney")).toHaveLength(1);
    expect(names.filter((name) => name === "settleMoney")).toHaveLength(1);
    expect(calls("settleMoney")).toEqual([{ runId: "r1", node: "train", jobName: "r1-train-1", cost: 0 }]);
  });
});
