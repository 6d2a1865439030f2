// A sample of bench/cost-cap.ts.
import { expect, test } from "vitest";
import { simulateRun, type SimulatedRun } from "./simulated-run.ts";

const seeds = Array.from({ length: 60 }, (_, index) => 5_000 + index);

test("no run costs more than its cap and a minute of its machines, and none is cut that would have fitted", async () => {
  const runs: SimulatedRun[] = [];
  for (const seed of seeds) runs.push(await simulateRun(seed));
  expect(runs.filter(({ cost, cap, minute }) => cost > cap + minute)).toEqual([]);
  expect(runs.filter(({ isCut, need, slack, cap }) => isCut && need + slack <= cap)).toEqual([]);
  // What is told is never less than what it was, lost jobs aside: of those nobody knows.
  expect(runs.filter(({ isCut, cost, spent, held }) => !isCut && cost > spent + held + 1e-6)).toEqual([]);
  // Both happen, or nothing was shown.
  expect(runs.filter(({ isCut }) => isCut).length).toBeGreaterThan(10);
  expect(runs.filter(({ status }) => status === "completed").length).toBeGreaterThan(10);
});

test("while the app is gone for hours, the service itself ends a job that no cap would pay for", async () => {
  const outage = { afterSeconds: 60, seconds: 6 * 3600 };
  const runs: SimulatedRun[] = [];
  for (const seed of seeds.slice(0, 30)) runs.push(await simulateRun(seed, { outage }));
  // Each job keeps the limit by itself, and keeps it from the moment its command runs: preparing, five minutes here, is before that.
  expect(runs.filter(({ cost, cap, minute, jobs }) => cost > jobs * (cap + 5 * minute))).toEqual([]);
  expect(runs.filter(({ cost, cap }) => cost > cap).length).toBeGreaterThan(0);
});
