import { describe, expect, test } from "vitest";
import { type PromoteInput, runPromote } from "#orchestrations/run-promote.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { ApprovalAnswer, Promotion } from "#shared/domain/promotion/promotion.ts";
import { type Call, play, type Stage } from "./stage.ts";

const input: PromoteInput = {
  runId: "r1",
  node: "promote",
  kind: "promote",
  component: "promote",
  instanceTypes: [],
  upstream: { "train.model": "azureml://new/" },
};
const asking: PromoteInput = { ...input, approvalSeconds: 259_200 };

const promotion: Promotion = { model: "digits", stage: "production", rules: [], reason: "accuracy 0.9 >= 0.8" };
const passed = { kind: "judged", isPassed: true, promotion, compared: "3" };
const failed = { kind: "judged", isPassed: false, promotion: { ...promotion, reason: "accuracy 0.7 < 0.8" } };
const unscored = {
  kind: "unscored",
  promotion: { ...promotion, champion: { version: "3" } },
  nodes: [{ node: "score.champion_3", planNode: "score", uri: "azureml://old/" }],
};
const scored: NodeResult = {
  node: "score.champion_3",
  status: "completed",
  attempt: 1,
  refused: [],
  startTime: "2026-01-05T10:00:01.000Z",
  endTime: "2026-01-05T10:00:02.000Z",
  outputs: {},
};
const answered = { kind: "answered" };
const cancel = { kind: "cancel", reason: "by hand" };

interface Course {
  readonly of?: PromoteInput;
  /** What the activity answers at each call; the last one stays. */
  readonly judge?: readonly unknown[];
  readonly register?: readonly unknown[];
  /** The record of the answer, by the number of the wait that has just ended. */
  readonly record?: (waits: number) => ApprovalAnswer | undefined;
  readonly events?: readonly unknown[];
  readonly check?: () => unknown;
  readonly ask?: () => unknown;
}

function run({ of = input, judge = [passed], register = [], record, events = [], check, ask }: Course) {
  let waits = 0;
  let standing: ApprovalAnswer | undefined;
  const asked: Record<string, number> = {};
  const nextOf = (name: string, answers: readonly unknown[]) => {
    const index = asked[name] ?? 0;
    asked[name] = index + 1;
    return answers[Math.min(index, answers.length - 1)];
  };
  const activities: Record<string, (call: Call) => unknown> = {
    judgeModel: () => nextOf("judge", judge),
    registerModel: () => nextOf("register", register.length === 0 ? [{ kind: "promoted", version: "4" }] : register),
    readApproval: ({ input: value }) => {
      standing ??= record?.(waits) ?? (value as { closing?: ApprovalAnswer }).closing;
      return standing ?? null;
    },
    checkNodes: () => check?.() ?? [],
    requestApproval: () => ask?.() ?? null,
  };
  const { output, stage } = play(runPromote, {
    input: of,
    activity: (call) => activities[call.name]?.(call) ?? null,
    event: (wait) => {
      waits = wait;
      return events[wait - 1];
    },
  });
  return { result: output as NodeResult, stage };
}

const namesOf = ({ calls }: Stage) => calls.map(({ name }) => name);
/** What it told last of what it waits for. */
const waitOf = ({ statuses }: Stage) =>
  statuses.findLast((status) => (status as { waitsFor?: string }).waitsFor !== undefined) as {
    waitsFor: string;
    promotion?: Promotion;
  };

describe("a model", () => {
  test("that passes every rule is registered, and its node tells as what", () => {
    const { result, stage } = run({});
    expect(result).toMatchObject({
      status: "completed",
      promotion: { outcome: "promoted", version: "4", reason: "accuracy 0.9 >= 0.8" },
    });
    expect(namesOf(stage)).toEqual(["judgeModel", "registerModel", "reportNode"]);
    expect(stage.calls[1]?.input).toMatchObject({ compared: "3" });
  });

  test("that does not pass is not registered, and that is no failure", () => {
    const { result, stage } = run({ judge: [failed] });
    expect(result).toMatchObject({
      status: "completed",
      promotion: { outcome: "not-promoted", reason: "accuracy 0.7 < 0.8" },
    });
    expect(namesOf(stage)).toEqual(["judgeModel", "reportNode"]);
  });

  test("is judged again when another has become the champion meanwhile", () => {
    const { result, stage } = run({ judge: [passed, failed], register: [{ kind: "moved" }] });
    expect(result).toMatchObject({ status: "completed", promotion: { outcome: "not-promoted" } });
    expect(namesOf(stage)).toEqual(["judgeModel", "registerModel", "judgeModel", "reportNode"]);
  });

  test("that the workspace will not take fails its node with the workspace's words", () => {
    const { result } = run({ register: [{ kind: "refused", reason: "no such job" }] });
    expect(result).toMatchObject({ status: "failed", failure: { reason: expect.stringContaining("no such job") } });
  });

  test("that is the champion already is told so, and nobody is asked", () => {
    const isChampion = { ...passed, promotion: { ...promotion, outcome: "already-promoted", version: "3" } };
    const { result, stage } = run({
      of: asking,
      judge: [isChampion],
      register: [{ kind: "already-promoted", version: "3" }],
    });
    expect(result).toMatchObject({ promotion: { outcome: "already-promoted", version: "3" } });
    expect(namesOf(stage)).not.toContain("requestApproval");
  });
});

describe("a champion that has to be scored", () => {
  test("is scored once, however often its end is told, and judged by then", () => {
    const { result, stage } = run({
      judge: [unscored, passed],
      events: [
        answered,
        { kind: "node-ended", result: { ...scored, node: "somebody else" } },
        { kind: "node-ended", result: scored },
      ],
    });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
    expect(namesOf(stage)).toEqual(["judgeModel", "startChampions", "judgeModel", "registerModel", "reportNode"]);
    expect(waitOf(stage).waitsFor).toContain("version 3");
  });

  test("is waited for on, when somebody has made its end up", () => {
    const forged = { kind: "node-ended", result: { ...scored, status: "failed", failure: { reason: "made up" } } };
    const { result, stage } = run({
      judge: [unscored, unscored, passed],
      events: [forged, { kind: "node-ended", result: scored }],
    });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
    expect(namesOf(stage).filter((name) => name === "judgeModel")).toHaveLength(3);
  });

  test("whose end nobody tells is found by the timer", () => {
    const { result, stage } = run({ judge: [unscored, passed], events: [], check: () => [scored] });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
    expect(stage).toMatchObject({ generations: 2, elapsedSeconds: 600 });
  });

  test("is stopped when the run is cancelled", () => {
    const { result, stage } = run({
      judge: [unscored],
      events: [cancel, { kind: "node-ended", result: { ...scored, status: "canceled" } }],
    });
    expect(result).toMatchObject({ status: "canceled", failure: { reason: "by hand" } });
    expect(stage.calls.find(({ name }) => name === "signalNodes")?.input).toMatchObject({
      nodes: ["score.champion_3"],
      signal: { kind: "cancel" },
    });
    expect(namesOf(stage)).not.toContain("registerModel");
  });
});

const time = "2026-01-06T10:00:00.000Z";
const approved: ApprovalAnswer = { decision: "approved", by: "Ada", time };
const rejected: ApprovalAnswer = { decision: "rejected", by: "Ada", comment: "too big", time };

describe("a model that somebody has to agree to", () => {
  test("waits, and is registered once it is approved", () => {
    const { result, stage } = run({
      of: asking,
      events: [answered],
      record: (waits) => (waits > 0 ? approved : undefined),
    });
    expect(waitOf(stage)).toMatchObject({
      waitsFor: "approval of model digits for production",
      promotion: { approval: { deadline: "2026-01-08T10:00:00.000Z" } },
    });
    expect(result).toMatchObject({
      status: "completed",
      promotion: { outcome: "promoted", approval: { answer: { decision: "approved", by: "Ada" } } },
    });
    expect(namesOf(stage).filter((name) => name === "requestApproval")).toHaveLength(1);
  });

  test("that is rejected is not registered, and says by whom and why", () => {
    const { result, stage } = run({
      of: asking,
      events: [answered],
      record: (waits) => (waits > 0 ? rejected : undefined),
    });
    expect(result).toMatchObject({
      status: "completed",
      promotion: { outcome: "not-promoted", reason: "rejected by Ada: too big" },
    });
    expect(namesOf(stage)).not.toContain("registerModel");
  });

  test("takes an answer that was there before the question, and asks nobody", () => {
    const { result, stage } = run({ of: asking, record: () => approved });
    expect(result).toMatchObject({ promotion: { outcome: "promoted", approval: { answer: approved } } });
    expect(namesOf(stage)).not.toContain("requestApproval");
  });

  test("is not asked for when it does not pass the rules", () => {
    const { result, stage } = run({ of: asking, judge: [failed], record: () => approved });
    expect(result).toMatchObject({ promotion: { outcome: "not-promoted" } });
    expect(namesOf(stage)).not.toContain("readApproval");
  });

  test("believes no signal: one without a record changes nothing", () => {
    const { result, stage } = run({
      of: asking,
      events: [answered, answered, { kind: "check" }, { kind: "slot-free" }, answered],
      record: (waits) => (waits >= 5 ? approved : undefined),
    });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
    expect(namesOf(stage).filter((name) => name === "requestApproval")).toHaveLength(1);
  });

  test("waits for days on timers of hours, and nobody answering is no approval", () => {
    const { result, stage } = run({ of: asking });
    expect(result).toMatchObject({
      status: "completed",
      promotion: {
        outcome: "not-promoted",
        reason: "nobody approved it within 3 days",
        approval: { answer: { decision: "timed-out" } },
      },
    });
    expect(stage).toMatchObject({ elapsedSeconds: 259_200, generations: 13 });
    expect(namesOf(stage).filter((name) => name === "requestApproval")).toHaveLength(1);
  });

  test("finds by its timer an answer whose signal was lost", () => {
    const { result, stage } = run({ of: asking, record: (waits) => (waits > 0 ? approved : undefined) });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
    expect(stage).toMatchObject({ elapsedSeconds: 21_600, generations: 2 });
  });

  test("takes an answer that was written down just before its time was over", () => {
    const late = run({
      of: { ...asking, approvalSeconds: 60 },
      record: (waits) => (waits > 0 ? approved : undefined),
    });
    expect(late.result).toMatchObject({ promotion: { outcome: "promoted" } });
  });

  test("ends with its run when that is cancelled, and nobody can answer any more", () => {
    const { result, stage } = run({ of: asking, events: [cancel] });
    expect(result).toMatchObject({
      status: "canceled",
      promotion: { outcome: "not-promoted", reason: "by hand", approval: { answer: { decision: "canceled" } } },
    });
    expect(namesOf(stage)).not.toContain("registerModel");
  });

  test("gives the run's slot back before it waits", () => {
    const { stage } = run({ of: { ...asking, holdsSlot: true }, events: [cancel] });
    const names = namesOf(stage);
    expect(names.indexOf("releaseSlot")).toBeGreaterThan(-1);
    expect(names.indexOf("releaseSlot")).toBeLessThan(names.indexOf("requestApproval"));
  });

  test("waits even when nobody could be told of it", () => {
    const { result } = run({
      of: asking,
      events: [answered],
      record: (waits) => (waits > 0 ? approved : undefined),
      ask: () => {
        throw new Error("the store is down");
      },
    });
    expect(result).toMatchObject({ promotion: { outcome: "promoted" } });
  });

  test("is not asked about again when another champion has to be compared with", () => {
    const { result, stage } = run({
      of: asking,
      events: [answered],
      record: (waits) => (waits > 0 ? approved : undefined),
      register: [{ kind: "moved" }, { kind: "promoted", version: "6" }],
    });
    expect(result).toMatchObject({ promotion: { outcome: "promoted", version: "6" } });
    expect(namesOf(stage).filter((name) => name === "requestApproval")).toHaveLength(1);
  });
});

test("an activity that gives up for good fails the node, and the run hears of it", () => {
  const { result, stage } = run({
    judge: [],
    events: [],
    of: { ...input, approvalSeconds: 5 },
    record: () => {
      throw new Error("the store is gone\nat somewhere");
    },
  });
  expect(result).toMatchObject({ status: "failed" });
  expect(namesOf(stage).at(-1)).toBe("reportNode");
});
