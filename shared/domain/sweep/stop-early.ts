// Which running trials are so far behind that they are not worth their money: Azure ML's three policies, on the primary metric as
// the trials log it. An interval is one logged value.
import { type EarlyTermination, isBetter } from "./sweep-plan.ts";

export interface TrialMetrics {
  readonly number: number;
  readonly isRunning: boolean;
  /** Values of the primary metric in the order they were logged. */
  readonly values: readonly number[];
}

/** @returns numbers of the running trials to stop now */
export function trialsToStop(
  policy: EarlyTermination,
  goal: "minimize" | "maximize",
  trials: readonly TrialMetrics[],
): number[] {
  const due = trials.filter(({ isRunning, values }) => {
    const count = values.length;
    return isRunning && count > policy.delay_evaluation && count % policy.evaluation_interval === 0;
  });
  switch (policy.type) {
    case "bandit": {
      const best = bestOf(
        goal,
        trials.flatMap(({ values }) => values),
      );
      if (best === undefined) return [];
      const allowed = allowance(policy, goal, best);
      return numbersOf(due.filter(({ values }) => isBetter(goal, allowed, bestOf(goal, values) ?? allowed)));
    }
    case "median_stopping":
      return numbersOf(
        due.filter((trial) => {
          const averages = trials
            .filter(({ number, values }) => number !== trial.number && values.length >= trial.values.length)
            .map(({ values }) => mean(values.slice(0, trial.values.length)));
          const middle = median(averages);
          const own = bestOf(goal, trial.values);
          return middle !== undefined && own !== undefined && isBetter(goal, middle, own);
        }),
      );
    case "truncation_selection":
      return numbersOf(
        due.filter((trial) => {
          // Compared at the same interval with all that got as far, the ended ones too.
          const at = trial.values.length;
          const rivals = trials
            .filter(({ values }) => values.length >= at)
            .map(({ values }) => bestOf(goal, values.slice(0, at)) ?? 0);
          const own = bestOf(goal, trial.values) ?? 0;
          const worse = rivals.filter((rival) => isBetter(goal, own, rival)).length;
          return worse < Math.floor((rivals.length * policy.truncation_percentage) / 100);
        }),
      );
  }
}

/** The worst value that bandit still allows beside `best`. */
function allowance(
  policy: Extract<EarlyTermination, { type: "bandit" }>,
  goal: "minimize" | "maximize",
  best: number,
): number {
  if (policy.slack_amount !== undefined)
    return goal === "maximize" ? best - policy.slack_amount : best + policy.slack_amount;
  const factor = 1 + (policy.slack_factor ?? 0);
  return goal === "maximize" ? best / factor : best * factor;
}

function bestOf(goal: "minimize" | "maximize", values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>(
    (best, value) => (best === undefined || isBetter(goal, value, best) ? value : best),
    undefined,
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
}

const numbersOf = (trials: readonly TrialMetrics[]) => trials.map(({ number }) => number);
