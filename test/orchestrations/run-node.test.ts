import { describe, expect, test } from "vitest";
import { type NodeInput, runNode } from "#orchestrations/run-node.ts";
import { type Call, play, type Script } from "./stage.ts";

const input: NodeInput = {
  runId: "r1",
  node: "train",
  kind: "command",
  component: "train",
  instanceTypes: ["A", "B"],
  upstream: { "prep.data": "azureml://x" },
};
const ended = { kind: "job-ended" };

/** A service that takes every job and has it completed whenever it is asked, unless told otherwise. */
function service(
  answers: Partial<Record<string, (call: Call, count: number) => unknown>> = {},
): (call: Call) => unknown {
  const counts: Record<string, number> = {};
  const usual: Record<string, () => unknown> = {
    train: () => ({ kind: "submitted", jobName: "r1-train-1", jobStatus: "NotStarted" }),
    submitJob: () => ({ kind: "submitted", jobName: "r1-other-1", jobStatus: "NotStarted" }),
    getJob: () => ({ jobStatus: "Completed", outcome: "completed" }),
    collectOutputs: () => ({ outputs: { model: "azureml://model/" } }),
    describeFailure: () => ({ reason: "the command ended with exit code 3", exitCode: 3, logTail: ["boom"] }),
    cancelJob: () => ({ isTaken: true }),
    reportNode: () => null,
  };
  return (call) => {
    const count = (counts[call.name] = (counts[call.name] ?? 0) + 1);
    const answer = answers[call.name];
    return answer === undefined ? usual[call.name]?.() : answer(call, count);
  };
}

const run = (script: Partial<Script>) =>
  play(runNode, { input, activity: service(), event: (wait) => (wait === 1 ? ended : undefined), ...script });
const names = (calls: readonly Call[]) => calls.map(({ name }) => name);

describe("a node", () => {
  test("submits with its first size, wakes up by the event, collects and reports", () => {
    const { output, stage } = run({});
    expect(names(stage.calls)).toEqual(["train", "getJob", "collectOutputs", "reportNode"]);
    expect(stage.calls[0]?.input).toMatchObject({ attempt: 1, instanceType: "A", upstream: input.upstream });
    expect(output).toMatchObject({
      status: "completed",
      outputs: { model: "azureml://model/" },
      jobName: "r1-train-1",
      instanceType: "A",
    });
    expect(stage.calls.at(-1)?.input).toEqual({ runId: "r1", result: output });
  });

  test("of any other component is submitted by submitJob", () => {
    const { stage } = run({ input: { ...input, component: "clean_up" } });
    expect(stage.calls[0]?.name).toBe("submitJob");
  });

  test("takes the next size when the service refuses one, and says which were refused", () => {
    const activity = service({
      train: (call) =>
        (call.input as { instanceType: string }).instanceType === "A"
          ? { kind: "refused", reason: "no quota" }
          : { kind: "submitted", jobName: "r1-train-2", jobStatus: "Queued" },
    });
    const { output } = run({ activity });
    expect(output).toMatchObject({
      status: "completed",
      attempt: 2,
      instanceType: "B",
      refused: [{ instanceType: "A", reason: "no quota" }],
    });
  });

  test("fails with every refusal when no size can be had", () => {
    const { output, stage } = run({ activity: service({ train: () => ({ kind: "refused", reason: "no quota" }) }) });
    expect(output).toMatchObject({
      status: "failed",
      failure: { reason: expect.stringContaining("A: no quota; B: no quota") as string },
    });
    expect(names(stage.calls)).toEqual(["train", "train", "reportNode"]);
  });

  test("fails at once when the service rejects the job itself", () => {
    const { output } = run({
      activity: service({ train: () => ({ kind: "rejected", reason: "no such environment" }) }),
    });
    expect(output).toMatchObject({ status: "failed", failure: { reason: "no such environment" } });
  });

  test("hears of the end by the back-stop when the event is lost, and drops its history at each poll", () => {
    const getJob = (_call: Call, count: number) =>
      count < 3 ? { jobStatus: "Running" } : { jobStatus: "Completed", outcome: "completed" };
    const { output, stage } = run({ activity: service({ getJob }), event: () => undefined });
    expect(output).toMatchObject({ status: "completed" });
    expect(stage.generations).toBe(4);
    expect(stage.elapsedSeconds).toBe(10 + 20 + 40);
    expect(names(stage.calls).filter((name) => name === "train")).toHaveLength(1);
  });

  test("goes on waiting after an event that came too early or was forged", () => {
    const getJob = (_call: Call, count: number) =>
      count < 3 ? { jobStatus: "Running" } : { jobStatus: "Completed", outcome: "completed" };
    const { output } = run({ activity: service({ getJob }), event: (wait) => (wait <= 2 ? ended : undefined) });
    expect(output).toMatchObject({ status: "completed" });
  });

  test("polls a long job every ten minutes at most", () => {
    const getJob = (_call: Call, count: number) =>
      count < 20 ? { jobStatus: "Running" } : { jobStatus: "Completed", outcome: "completed" };
    const { stage } = run({ activity: service({ getJob }), event: () => undefined });
    expect(stage.elapsedSeconds).toBe(10 + 20 + 40 + 80 + 160 + 320 + 14 * 600);
  });

  test("that failed tells the reason and the end of the log", () => {
    const { output } = run({ activity: service({ getJob: () => ({ jobStatus: "Failed", outcome: "failed" }) }) });
    expect(output).toMatchObject({ status: "failed", failure: { exitCode: 3, logTail: ["boom"] } });
  });

  test("cancels its job when it is told to, and waits until the job has ended", () => {
    const getJob = (_call: Call, count: number) =>
      count === 1 ? { jobStatus: "CancelRequested" } : { jobStatus: "Canceled", outcome: "canceled" };
    const { output, stage } = run({
      activity: service({ getJob }),
      event: (wait) => (wait === 1 ? { kind: "cancel", reason: "by hand" } : undefined),
    });
    expect(names(stage.calls)).toEqual(["train", "cancelJob", "getJob", "getJob", "reportNode"]);
    expect(output).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
  });

  test("cancels its job once, however often it is told", () => {
    const getJob = (_call: Call, count: number) =>
      count < 3 ? { jobStatus: "CancelRequested" } : { jobStatus: "Canceled", outcome: "canceled" };
    const { stage } = run({ activity: service({ getJob }), event: () => ({ kind: "cancel", reason: "by hand" }) });
    expect(names(stage.calls).filter((name) => name === "cancelJob")).toHaveLength(1);
  });

  test("whose job runs past its time limit is cancelled and counts as failed", () => {
    const getJob = (_call: Call, count: number) =>
      count < 3 ? { jobStatus: "Running" } : { jobStatus: "Canceled", outcome: "canceled" };
    const { output, stage } = run({
      input: { ...input, timeoutSeconds: 15 },
      activity: service({ getJob }),
      event: () => undefined,
    });
    // Seen to run at 10 s, cut off 15 s later, seen to have ended 5 s after that.
    expect(stage.elapsedSeconds).toBe(10 + 15 + 5);
    expect(names(stage.calls)).toContain("cancelJob");
    expect(output).toMatchObject({
      status: "failed",
      failure: { reason: "the job ran longer than its limit of 15 s" },
    });
  });

  test("reports a failure when an activity gives up for good", () => {
    const activity = service({
      train: () => {
        throw new Error("Azure ML is not answering");
      },
    });
    const { output, stage } = run({ activity });
    expect(output).toMatchObject({ status: "failed", failure: { reason: "Azure ML is not answering" } });
    expect(stage.calls.at(-1)?.name).toBe("reportNode");
  });
});
