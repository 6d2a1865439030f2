import { describe, expect, test } from "vitest";
import { gridSize, type Observation, sampleTrial } from "#shared/domain/sweep/sample-trial.ts";
import { type Distribution, valueAt } from "#shared/domain/sweep/search-space.ts";
import { sobolPoint } from "#shared/domain/sweep/sobol.ts";
import { SweepPlan } from "#shared/domain/sweep/sweep-plan.ts";

function sweep(searchSpace: Record<string, Distribution>, sampling: object = { type: "random" }): SweepPlan {
  return SweepPlan.parse({
    searchSpace,
    sampling,
    objective: { goal: "minimize", primaryMetric: "loss" },
    limits: { maxTotalTrials: 20, maxConcurrentTrials: 4 },
  });
}

const line: Distribution = { type: "uniform", min_value: -2, max_value: 4 };

describe("a distribution", () => {
  test.each<[Distribution, number, unknown]>([
    [{ type: "choice", values: ["a", "b", "c"] }, 0.34, "b"],
    [{ type: "randint", upper: 4 }, 0.999, 3],
    [line, 0.5, 1],
    [{ ...line, type: "quniform", q: 0.5 }, 0.3, 0],
    [{ type: "loguniform", min_value: Math.log(1), max_value: Math.log(100) }, 0.5, 10],
    [{ type: "qloguniform", min_value: 0, max_value: Math.log(100), q: 7 }, 0.5, 7],
    [{ type: "normal", mu: 3, sigma: 2 }, 0.5, 3],
    [{ type: "normal", mu: 0, sigma: 1 }, 0.975, 1.959964],
    [{ type: "normal", mu: 0, sigma: 1 }, 0.001, -3.090232],
    [{ type: "lognormal", mu: 0, sigma: 1 }, 0.5, 1],
    [{ type: "qnormal", mu: 10, sigma: 3, q: 4 }, 0.5, 12],
    [{ type: "quniform", min_value: 0, max_value: 1, q: 0.1 }, 0.3, 0.3],
  ])("%j at %d is %s", (distribution, u, expected) => {
    const value = valueAt(distribution, u);
    // Numbers of a logarithm or a quantile are right to some digits.
    expect(typeof value === "number" ? Number(value.toFixed(5)) : value).toEqual(
      typeof expected === "number" ? Number(expected.toFixed(5)) : expected,
    );
  });
});

describe("a sampler", () => {
  test("gives the same trial for the same seed and number, another for another", () => {
    const plan = sweep({ lr: line }, { type: "random", seed: 7 });
    expect(sampleTrial(plan, 3, [])).toEqual(sampleTrial(plan, 3, []));
    expect(sampleTrial(plan, 3, [])).not.toEqual(sampleTrial(plan, 4, []));
    expect(sampleTrial(plan, 3, [])).not.toEqual(sampleTrial(sweep({ lr: line }, { type: "random", seed: 8 }), 3, []));
  });

  test("at random covers its range", () => {
    const plan = sweep({ lr: line });
    const values = Array.from({ length: 400 }, (_, index) => Number(sampleTrial(plan, index + 1, [])?.values.lr));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThan(4);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeGreaterThan(0.7);
    expect(mean).toBeLessThan(1.3);
  });

  test("of a grid gives every point once and then no more", () => {
    const plan = sweep(
      { a: { type: "choice", values: [1, 2, 3] }, b: { type: "choice", values: ["x", true] } },
      { type: "grid" },
    );
    const points = Array.from({ length: 6 }, (_, index) => JSON.stringify(sampleTrial(plan, index + 1, [])?.values));
    expect(new Set(points).size).toBe(6);
    expect(points[1]).toBe('{"a":"1","b":"True"}');
    expect(sampleTrial(plan, 7, [])).toBeUndefined();
    expect(gridSize(plan)).toBe(6);
  });

  test("by Sobol's rule puts one of each 16 points into each sixteenth, in ten dimensions", () => {
    for (let dimension = 0; dimension < 10; dimension += 1) {
      const cells = Array.from({ length: 16 }, (_, index) =>
        Math.floor((sobolPoint(index + 16, 10, () => 0)[dimension] ?? 0) * 16),
      );
      expect(new Set(cells).size).toBe(16);
    }
    expect([1, 2, 3].map((index) => sobolPoint(index, 2, () => 0))).toEqual([
      [0.5, 0.5],
      [0.25, 0.75],
      [0.75, 0.25],
    ]);
  });

  test("that learns comes nearer to the best point than chance does", () => {
    const target = 0.3;
    const distance = (type: string, seed: number) => {
      const plan = sweep(
        { x: { type: "uniform", min_value: 0, max_value: 1 }, y: { type: "uniform", min_value: 0, max_value: 1 } },
        { type, seed },
      );
      const seen: Observation[] = [];
      for (let number = 1; number <= 40; number += 1) {
        const sample = sampleTrial(plan, number, seen);
        if (sample === undefined) throw new Error("no sample");
        seen.push({ point: sample.point, quality: -sample.point.reduce((sum, u) => sum + (u - target) ** 2, 0) });
      }
      return Math.max(...seen.map(({ quality }) => quality));
    };
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    const average = (type: string) => seeds.reduce((sum, seed) => sum + distance(type, seed), 0) / seeds.length;
    expect(average("bayesian")).toBeGreaterThan(average("random"));
  });

  test("that learns prefers the choice that did well", () => {
    const plan = sweep({ kind: { type: "choice", values: ["bad", "good", "worse"] } }, { type: "bayesian" });
    const point = (u: number, quality: number): Observation => ({ point: [u], quality });
    const seen = Array.from({ length: 12 }, (_, index) => point(((index % 3) + 0.5) / 3, index % 3 === 1 ? 1 : 0));
    const drawn = Array.from({ length: 30 }, (_, index) => sampleTrial(plan, index + 20, seen)?.values.kind);
    expect(drawn.filter((value) => value === "good").length).toBeGreaterThan(20);
  });
});
