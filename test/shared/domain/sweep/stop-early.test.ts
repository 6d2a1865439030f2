import { describe, expect, test } from "vitest";
import { trialsToStop, type TrialMetrics } from "#shared/domain/sweep/stop-early.ts";
import { EarlyTermination } from "#shared/domain/sweep/sweep-plan.ts";

const trial = (number: number, values: number[], isRunning = true): TrialMetrics => ({ number, values, isRunning });
const policy = (value: object) => EarlyTermination.parse(value);

describe("bandit", () => {
  test("stops a trial whose best lies outside the slack of the best of all", () => {
    const bandit = policy({ type: "bandit", slack_factor: 0.2 });
    expect(trialsToStop(bandit, "maximize", [trial(1, [0.9]), trial(2, [0.7]), trial(3, [0.76])])).toEqual([2]);
    expect(trialsToStop(bandit, "minimize", [trial(1, [1]), trial(2, [1.3]), trial(3, [1.1])])).toEqual([2]);
  });

  test("takes an amount as well", () => {
    expect(
      trialsToStop(policy({ type: "bandit", slack_amount: 0.1 }), "maximize", [trial(1, [0.9]), trial(2, [0.79])]),
    ).toEqual([2]);
  });

  test("waits for its delay and its interval, and leaves ended trials alone", () => {
    const bandit = policy({ type: "bandit", slack_amount: 0.1, delay_evaluation: 2, evaluation_interval: 2 });
    const best = trial(1, [1, 1, 1, 1], false);
    expect(trialsToStop(bandit, "maximize", [best, trial(2, [0, 0])])).toEqual([]);
    expect(trialsToStop(bandit, "maximize", [best, trial(2, [0, 0, 0])])).toEqual([]);
    expect(trialsToStop(bandit, "maximize", [best, trial(2, [0, 0, 0, 0])])).toEqual([2]);
  });
});

test("median stopping stops a trial whose best is worse than the median of the others' averages so far", () => {
  const median = policy({ type: "median_stopping" });
  const others = [trial(1, [0.5, 0.9], false), trial(2, [0.6, 0.8], false), trial(3, [0.1, 0.1], false)];
  expect(trialsToStop(median, "maximize", [...others, trial(4, [0.2, 0.3])])).toEqual([4]);
  expect(trialsToStop(median, "maximize", [...others, trial(4, [0.2, 0.8])])).toEqual([]);
  expect(trialsToStop(median, "maximize", [trial(1, [0.1])])).toEqual([]);
});

test("truncation selection stops the share that is worst at the same interval", () => {
  const truncation = policy({ type: "truncation_selection", truncation_percentage: 40 });
  const trials = [0.9, 0.8, 0.7, 0.2, 0.1].map((value, index) => trial(index + 1, [value]));
  expect(trialsToStop(truncation, "maximize", trials)).toEqual([4, 5]);
  expect(trialsToStop(truncation, "minimize", trials)).toEqual([1, 2]);
});
