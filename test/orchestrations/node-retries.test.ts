import { describe, expect, test } from "vitest";
import { type NodeInput, runNode } from "#orchestrations/run-node.ts";
import type { NodeProgress, NodeResult } from "#shared/domain/node-result.ts";
import type { NodeFailure } from "#shared/domain/run.ts";
import { type Call, play } from "./stage.ts";

const input: NodeInput = {
  runId: "r1",
  node: "train",
  kind: "command",
  component: "train",
  instanceTypes: ["A", "B"],
  upstream: {},
};
const ended = { kind: "job-ended" };
const cancel = { kind: "cancel", reason: "by hand" };

interface Story {
  readonly input?: Partial<NodeInput>;
  /** How the jobs fail, one after the other; those after the last complete. */
  readonly failures?: readonly NodeFailure[];
  readonly activity?: (call: Call, count: number) => unknown;
  readonly event?: (wait: number) => unknown;
}

/** A service whose jobs fail as told and are then asked about. */
function live({ input: changes, failures = [], activity, event = () => ended }: Story) {
  const counts: Record<string, number> = {};
  let jobs = 0;
  const told = play(runNode, {
    input: { ...input, ...changes },
    event,
    activity(call) {
      const count = (counts[call.name] = (counts[call.name] ?? 0) + 1);
      const answer = activity?.(call, count);
      if (answer !== undefined) return answer;
      switch (call.name) {
        case "train": {
          jobs += 1;
          return {
            kind: "submitted",
            jobName: `r1-train-${(call.input as { attempt: number }).attempt}`,
            jobStatus: "NotStarted",
          };
        }
        case "getJob":
          return failures[jobs - 1] === undefined
            ? { jobStatus: "Completed", outcome: "completed" }
            : { jobStatus: "Failed", outcome: "failed" };
        case "describeFailure":
          return failures[jobs - 1];
        case "collectOutputs":
          return { outputs: {} };
        case "takeSlot":
          return { isGranted: true };
        case "cancelJob":
          return { isTaken: true };
        default:
          return null;
      }
    },
  });
  const calls = (name: string) => told.stage.calls.filter((call) => call.name === name).map((call) => call.input);
  return {
    ...told,
    output: told.output as NodeResult,
    calls,
    names: told.stage.calls.map(({ name }) => name),
    statuses: told.stage.statuses as NodeProgress[],
  };
}

/** The first wait after each job is its end; the pauses in between are the timer's. */
const endsThenPauses = (wait: number) => (wait % 2 === 1 ? ended : undefined);

describe("a node whose job", () => {
  test("was lost gets another under a new name, after a pause, and tells both", () => {
    const { output, calls, stage, statuses } = live({
      failures: [{ class: "lost", reason: "the machine is gone" }],
      event: endsThenPauses,
    });
    expect(calls("train")).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    expect(stage.elapsedSeconds).toBeGreaterThanOrEqual(10);
    expect(stage.elapsedSeconds).toBeLessThan(13);
    expect(statuses.map(({ waitsFor }) => waitsFor)).toContainEqual(
      expect.stringMatching(/^attempt 2 at .+ after: the machine is gone$/),
    );
    expect(output).toMatchObject({
      status: "completed",
      attempt: 2,
      jobName: "r1-train-2",
      attempts: [{ attempt: 1, jobName: "r1-train-1", class: "lost", reason: "the machine is gone" }],
    });
    expect(output).not.toHaveProperty("waitsFor");
  });

  test("failed by its own code fails, unless the node asks for another attempt", () => {
    const failures: NodeFailure[] = [{ class: "user-code", reason: "exit code 1", exitCode: 1 }];
    expect(live({ failures }).output).toMatchObject({ status: "failed", attempt: 1, failure: failures[0] });
    const policy = { retry: { "user-code": { maxAttempts: 2 } } };
    expect(live({ failures, event: endsThenPauses, input: { policy } }).output).toMatchObject({
      status: "completed",
      attempt: 2,
    });
  });

  test("ran out of memory goes to the next bigger size", () => {
    const { calls, output } = live({
      input: { instanceTypes: ["Standard_NC4as_T4_v3"] },
      failures: [{ class: "out-of-memory", memory: "gpu", reason: "CUDA out of memory" }],
    });
    expect(calls("train")).toMatchObject([
      { instanceType: "Standard_NC4as_T4_v3" },
      { instanceType: "Standard_NC24ads_A100_v4" },
    ]);
    expect(output).toMatchObject({ status: "completed", instanceType: "Standard_NC24ads_A100_v4" });
  });

  test("was preempted comes back on spot, then on a dedicated machine", () => {
    const preempted: NodeFailure = { class: "preempted", reason: "the machine was taken away" };
    const { calls } = live({ failures: [preempted, preempted], event: endsThenPauses });
    expect(calls("train").map((each) => (each as { isDedicated?: boolean }).isDedicated)).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  test("was taken and failed for want of capacity goes on with the next size at once", () => {
    const { calls, output, stage } = live({ failures: [{ class: "no-capacity", reason: "Allocation failed" }] });
    expect(calls("train")).toMatchObject([{ instanceType: "A" }, { instanceType: "B" }]);
    expect(stage.elapsedSeconds).toBe(0);
    expect(output).toMatchObject({ instanceType: "B", refused: [{ instanceType: "A", reason: "Allocation failed" }] });
  });

  test("fails by a class that is tried again, and again, tells no more than the last ten attempts", () => {
    const failures = Array.from({ length: 30 }, (_, index): NodeFailure => ({
      class: "lost",
      reason: `loss ${index + 1}`,
    }));
    const policy = { retry: { lost: { maxAttempts: 25 } } };
    const { output } = live({ failures, event: endsThenPauses, input: { policy } });
    expect(output).toMatchObject({ status: "failed", attempt: 25, failure: { reason: "loss 25" } });
    expect(output.attempts).toHaveLength(10);
    expect(output.attempts?.at(-1)).toMatchObject({ attempt: 24, reason: "loss 24" });
  });

  test("is unknown to the workspace for a while counts as lost, is cancelled, and another comes", () => {
    const { names, output, calls } = live({
      event: () => undefined,
      activity: ({ name, input: value }) =>
        name === "getJob" && (value as { jobName: string }).jobName === "r1-train-1"
          ? { jobStatus: "NotFound" }
          : undefined,
    });
    expect(calls("cancelJob")).toEqual([{ jobName: "r1-train-1" }]);
    expect(names.indexOf("cancelJob")).toBeLessThan(names.lastIndexOf("train"));
    expect(output).toMatchObject({
      status: "completed",
      attempts: [{ class: "lost", reason: expect.stringContaining("does not know") }],
    });
  });

  test("is unknown only for a moment is waited for", () => {
    const { output } = live({
      event: () => undefined,
      activity: ({ name }, count) => (name === "getJob" && count < 3 ? { jobStatus: "NotFound" } : undefined),
    });
    expect(output).toMatchObject({ status: "completed", attempt: 1 });
  });
});

describe("a node with limits", () => {
  const stuckAt = (jobStatus: string, jobs = 1) => {
    let isCanceled = 0;
    return ({ name, input: value }: Call) => {
      if (name === "cancelJob") isCanceled += 1;
      if (name !== "getJob") return undefined;
      const attempt = Number((value as { jobName: string }).jobName.slice(-1));
      if (attempt > jobs) return undefined;
      return isCanceled >= attempt ? { jobStatus: "Canceled", outcome: "canceled" } : { jobStatus };
    };
  };
  const described = (call: Call) => (call.name === "describeFailure" ? { reason: "its job was canceled" } : undefined);
  const both = (a: (call: Call) => unknown) => (call: Call) => a(call) ?? described(call);

  test.each([
    ["Preparing", "preparingSeconds", "the job was preparing longer than its limit of 60 s"],
    ["Running", "runningSeconds", "the job ran longer than its limit of 60 s"],
    ["Finalizing", "finalizingSeconds", "the job was storing its outputs longer than its limit of 60 s"],
  ])("stops a job that is %s too long, and says which limit it was", (status, limit, reason) => {
    const policy = { limits: { [limit]: 60 } };
    const { output, calls, stage } = live({
      input: { policy },
      event: () => undefined,
      activity: both(stuckAt(status)),
    });
    expect(output).toMatchObject({ status: "failed", failure: { reason } });
    expect(calls("cancelJob")).toHaveLength(1);
    expect(stage.elapsedSeconds).toBeLessThanOrEqual(60 + 15 + 5);
  });

  test("takes the next size when it waits too long for a machine", () => {
    const policy = { limits: { queuedSeconds: 60 } };
    const { output, calls } = live({
      input: { policy },
      event: (wait) => (wait > 5 ? ended : undefined),
      activity: both(stuckAt("Queued")),
    });
    expect(calls("train")).toMatchObject([{ instanceType: "A" }, { instanceType: "B" }]);
    expect(output).toMatchObject({ status: "completed", attempts: [{ class: "no-capacity" }] });
  });

  test("counts all attempts and pauses against the node's own limit", () => {
    const policy = {
      limits: { nodeSeconds: 100 },
      retry: { lost: { maxAttempts: 20, delaySeconds: 30, maxDelaySeconds: 30 } },
    };
    const failures = Array.from({ length: 20 }, (): NodeFailure => ({ class: "lost", reason: "gone" }));
    const { output, stage } = live({ input: { policy }, failures, event: endsThenPauses });
    expect(output).toMatchObject({ status: "failed", failure: { reason: expect.stringContaining("limit of 100 s") } });
    expect(stage.elapsedSeconds).toBeGreaterThanOrEqual(100);
    expect(stage.elapsedSeconds).toBeLessThan(140);
  });
});

describe("a cancel", () => {
  test("in the pause before the next attempt ends the node without another job", () => {
    const { output, calls } = live({
      failures: [{ class: "lost", reason: "gone" }],
      event: (wait) => (wait === 1 ? ended : cancel),
    });
    expect(calls("train")).toHaveLength(1);
    expect(calls("cancelJob")).toHaveLength(0);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("while nobody knows whether the job was taken cancels it by its name and ends the node at once", () => {
    const { output, calls, statuses } = live({
      event: () => cancel,
      activity: ({ name }) =>
        name === "train" ? { kind: "unavailable", reason: "Azure ML is not answering" } : undefined,
    });
    expect(calls("train")).toHaveLength(1);
    expect(calls("cancelJob")).toEqual([{ jobName: "r1-train-1" }]);
    expect(statuses.at(-2)?.waitsFor).toBe("the service: Azure ML is not answering");
    expect(output).toMatchObject({ status: "canceled" });
  });

  test("that a service in an outage cannot take is ordered until it can", () => {
    const { output, calls } = live({
      event: (wait) => (wait === 1 ? cancel : undefined),
      activity: ({ name }, count) => {
        if (name === "train") return { kind: "unavailable", reason: "Azure ML is not answering" };
        if (name === "cancelJob") return { isTaken: count > 3 };
        if (name !== "getJob") return undefined;
        if (count < 4) return { jobStatus: "Unavailable", isUnavailable: true };
        return count < 6 ? { jobStatus: "Running" } : { jobStatus: "Canceled", outcome: "canceled" };
      },
    });
    expect(calls("train")).toHaveLength(1);
    expect(calls("cancelJob").length).toBeGreaterThan(3);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("of a job that never came to be does not wait for it", () => {
    const { output, stage } = live({
      event: (wait) => (wait === 1 ? cancel : undefined),
      activity: ({ name }) => (name === "getJob" ? { jobStatus: "NotFound" } : undefined),
    });
    expect(output).toMatchObject({ status: "canceled" });
    expect(stage.elapsedSeconds).toBeLessThan(90);
  });

  test("that the service did not take is ordered again", () => {
    const { calls, output } = live({
      event: (wait) => (wait === 1 ? cancel : undefined),
      activity: ({ name }, count) => {
        if (name !== "getJob") return undefined;
        if (count <= 2) return { jobStatus: "Running" };
        return count === 3 ? { jobStatus: "CancelRequested" } : { jobStatus: "Canceled", outcome: "canceled" };
      },
    });
    expect(calls("cancelJob")).toHaveLength(2);
    expect(output).toMatchObject({ status: "canceled" });
  });

  test("that is never confirmed is not waited for for ever", () => {
    const { output, stage, calls } = live({
      event: (wait) => (wait === 1 ? cancel : undefined),
      activity: ({ name }) => (name === "getJob" ? { jobStatus: "CancelRequested" } : undefined),
    });
    expect(output).toMatchObject({ status: "canceled" });
    expect(stage.elapsedSeconds).toBeGreaterThanOrEqual(1800);
    expect(stage.elapsedSeconds).toBeLessThan(2 * 1800);
    expect(calls("getJob").length).toBeLessThan(60);
  });

  test("of a job that failed all the same makes a cancelled node, of one that completed a completed one", () => {
    const first = (wait: number) => (wait === 1 ? cancel : ended);
    expect(live({ failures: [{ class: "lost", reason: "x" }], event: first }).output.status).toBe("canceled");
    expect(live({ event: first }).output.status).toBe("completed");
  });
});

describe("while the service is down", () => {
  test("the same attempt is submitted again, after the time the service asked for", () => {
    const { calls, stage, output } = live({
      event: (wait) => (wait <= 3 ? undefined : ended),
      activity: ({ name }, count) => {
        if (name !== "train" || count > 3) return undefined;
        return { kind: "unavailable", reason: "too many requests", ...(count === 2 ? { retryAfterSeconds: 30 } : {}) };
      },
    });
    expect(calls("train").map((each) => (each as { attempt: number }).attempt)).toEqual([1, 1, 1, 1]);
    expect(stage.elapsedSeconds).toBe(1 + 30 + 4);
    expect(output).toMatchObject({ status: "completed", attempt: 1 });
  });

  test("for an hour the node gives up", () => {
    const { output, stage } = live({
      event: () => undefined,
      activity: ({ name }) =>
        name === "train" ? { kind: "unavailable", reason: "Azure ML is not answering" } : undefined,
    });
    expect(output).toMatchObject({
      status: "failed",
      failure: { class: "throttled", reason: "Azure ML is not answering" },
    });
    expect(stage.elapsedSeconds).toBeGreaterThanOrEqual(3600);
  });

  test("a job in flight is simply waited for", () => {
    const { output, statuses } = live({
      event: () => undefined,
      activity: ({ name }, count) =>
        name === "getJob" && count < 30 ? { jobStatus: "Unavailable", isUnavailable: true } : undefined,
    });
    expect(output).toMatchObject({ status: "completed", attempt: 1 });
    expect(statuses.map(({ jobStatus }) => jobStatus)).not.toContain("Unavailable");
  });
});

describe("where jobs are limited", () => {
  test("a node takes a slot for each job and gives it back when the job has ended", () => {
    const { names } = live({
      input: { isLimited: true },
      failures: [{ class: "lost", reason: "gone" }],
      event: endsThenPauses,
    });
    expect(names).toEqual([
      "takeSlot",
      "train",
      "getJob",
      "releaseSlot",
      "describeFailure",
      "takeSlot",
      "train",
      "getJob",
      "releaseSlot",
      "collectOutputs",
      "reportNode",
    ]);
  });

  test("a node without a slot waits, says for what, and asks again when one is free", () => {
    const { names, statuses } = live({
      input: { isLimited: true },
      event: (wait) => (wait === 1 ? { kind: "slot-free" } : ended),
      activity: ({ name }, count) =>
        name === "takeSlot" && count === 1 ? { isGranted: false, waitsFor: "1 of 1 jobs" } : undefined,
    });
    expect(names.slice(0, 3)).toEqual(["takeSlot", "takeSlot", "train"]);
    expect(statuses[0]?.waitsFor).toBe("1 of 1 jobs");
  });

  test("a cancelled node leaves the queue", () => {
    const { names, output } = live({
      input: { isLimited: true },
      event: () => cancel,
      activity: ({ name }) => (name === "takeSlot" ? { isGranted: false } : undefined),
    });
    expect(names).toEqual(["takeSlot", "releaseSlot", "reportNode"]);
    expect(output.status).toBe("canceled");
  });

  test("a size that is refused holds no slot while another is asked for", () => {
    const { names } = live({
      input: { isLimited: true },
      activity: ({ name }, count) =>
        name === "train" && count === 1 ? { kind: "refused", reason: "no quota" } : undefined,
    });
    expect(names.slice(0, 5)).toEqual(["takeSlot", "train", "releaseSlot", "takeSlot", "train"]);
  });

  test("nothing is asked where none are", () => {
    expect(live({}).names).toEqual(["train", "getJob", "collectOutputs", "reportNode"]);
  });
});
