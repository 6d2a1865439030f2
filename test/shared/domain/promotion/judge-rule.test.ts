import { describe, expect, test } from "vitest";
import { type ChampionScore, judgeRule } from "#shared/domain/promotion/judge-rule.ts";
import type { PromotionRule } from "#shared/domain/promotion/promotion-plan.ts";

const none: ChampionScore = { kind: "none" };
const measured = { node: "score", metric: "accuracy" };
const limit = (limits: { atLeast?: number; atMost?: number }): PromotionRule => ({
  kind: "limit",
  ...measured,
  ...limits,
});
const better = (by = 0, goal: "maximize" | "minimize" = "maximize", ifUnscorable: "reject" | "pass" = "reject") => ({
  kind: "champion" as const,
  ...measured,
  goal,
  by,
  ifUnscorable,
});
const champion = (value: number | undefined): ChampionScore => ({ kind: "scored", version: "3", value });

describe("a limit", () => {
  test.for([
    [{ atLeast: 0.9 }, 0.913, true, "accuracy 0.913 >= 0.9"],
    [{ atLeast: 0.9 }, 0.9, true, "accuracy 0.9 >= 0.9"],
    [{ atLeast: 0.9 }, 0.899, false, "accuracy 0.899 < 0.9"],
    [{ atLeast: 0.9 }, 0.8999999761581421, false, "accuracy 0.8999999761581421 < 0.9"],
    [{ atMost: 0.2 }, 0.2, true, "accuracy 0.2 <= 0.2"],
    [{ atMost: 0.2 }, 0.21, false, "accuracy 0.21 > 0.2"],
    [{ atLeast: 1, atMost: 2 }, 1.5, true, "accuracy 1.5 >= 1 and 1.5 <= 2"],
    [{ atLeast: -1e308 }, 1e308, true, "accuracy 1e+308 >= -1e+308"],
  ] as const)("of %o with %d", ([limits, value, isPassed, detail]) => {
    expect(judgeRule(limit(limits), value, none)).toMatchObject({ isPassed, detail, value });
  });

  test.for([
    [undefined, "score has logged no accuracy"],
    [NaN, "accuracy of score is NaN, which is no number to decide on"],
    [Infinity, "accuracy of score is Infinity, which is no number to decide on"],
    [-Infinity, "accuracy of score is -Infinity, which is no number to decide on"],
  ] as const)("is not met by %s, whatever it is", ([value, detail]) => {
    expect(judgeRule(limit({ atLeast: -Infinity }), value, none)).toEqual({ ...measured, isPassed: false, detail });
    expect(judgeRule(better(0, "minimize"), value, none)).toMatchObject({ isPassed: false });
  });
});

describe("a comparison with the champion", () => {
  test.for([
    [better(), 0.91, 0.905, true, "accuracy 0.91 > champion 3's 0.905"],
    [better(), 0.905, 0.905, false, "accuracy 0.905 is no better than champion 3's 0.905"],
    [better(), 0.9, 0.905, false, "accuracy 0.9 is not better than champion 3's 0.905"],
    [better(0.005), 0.91, 0.905, true, "accuracy 0.91 > champion 3's 0.905"],
    [better(0.2), 0.3, 0.1, true, "accuracy 0.3 > champion 3's 0.1"],
    [better(0.1), 0.8, 0.7, true, "accuracy 0.8 > champion 3's 0.7"],
    [better(0.01), 0.91, 0.905, false, "accuracy 0.91 is not better by 0.01 than champion 3's 0.905"],
    [better(0.1, "minimize"), 0.1, 0.3, true, "accuracy 0.1 < champion 3's 0.3"],
    [better(0, "minimize"), 0.31, 0.3, false, "accuracy 0.31 is not better than champion 3's 0.3"],
  ] as const)("%#: %o", ([rule, value, theirs, isPassed, detail]) => {
    const outcome = judgeRule(rule, value, champion(theirs));
    expect(outcome).toMatchObject({ isPassed, detail, champion: "3", threshold: theirs });
  });

  test("is met where there is none, and says so", () => {
    const outcome = judgeRule(better(0.5), 0.1, none);
    expect(outcome).toMatchObject({ isPassed: true, detail: "accuracy 0.1, there is no champion yet" });
  });

  test("is met by the champion itself", () => {
    expect(judgeRule(better(0.5), 0.1, { kind: "itself", version: "3" })).toMatchObject({ isPassed: true });
  });

  test.for([
    [champion(undefined), "its job has logged no accuracy"],
    [champion(NaN), "its accuracy is NaN"],
    [{ kind: "unscorable", version: "3", reason: "exit code 1" } as const, "exit code 1"],
  ] as const)("with one that cannot be scored goes by the author's word: %o", ([score, reason]) => {
    const rejected = judgeRule(better(), 0.9, score);
    expect(rejected).toMatchObject({ isPassed: false, detail: expect.stringContaining(reason) });
    expect(judgeRule(better(0, "maximize", "pass"), 0.9, score)).toMatchObject({ isPassed: true });
  });
});
