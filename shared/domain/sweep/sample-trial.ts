// Chooses the values of a trial: pure, and decided by the seed, the trial's number and the metrics known by then.
import { pythonText } from "../python-text.ts";
import { type Distribution, isOrdered, valueAt } from "./search-space.ts";
import { sobolPoint } from "./sobol.ts";
import type { SweepPlan } from "./sweep-plan.ts";

/** A trial whose metric is known: where it lay in the unit cube, and how good it was (greater is better). */
export interface Observation {
  readonly point: readonly number[];
  readonly quality: number;
}

export interface Sample {
  readonly point: readonly number[];
  readonly values: Record<string, string>;
}

/** Trials at random before the Bayesian sampler has something to learn from. */
const startupTrials = 5;
const candidates = 32;
/** Share of the observations that count as good. */
const goodShare = 0.25;

/**
 * @param number of the trial, from 1
 * @param observations of earlier trials, for the Bayesian sampler
 * @returns undefined when a grid has no more points
 */
export function sampleTrial(
  sweep: SweepPlan,
  number: number,
  observations: readonly Observation[],
): Sample | undefined {
  const space = Object.entries(sweep.searchSpace);
  const point = pointOf(
    sweep,
    space.map(([, distribution]) => distribution),
    number,
    observations,
  );
  if (point === undefined) return undefined;
  const values = space.map(
    ([name, distribution], index) => [name, pythonText(valueAt(distribution, point[index] ?? 0))] as const,
  );
  return { point, values: Object.fromEntries(values) };
}

/** How many different points a grid has; without end for anything but choices. */
export function gridSize(sweep: SweepPlan): number {
  return Object.values(sweep.searchSpace).reduce(
    (size, { type, ...rest }) => size * (type === "choice" && "values" in rest ? rest.values.length : Infinity),
    1,
  );
}

function pointOf(
  sweep: SweepPlan,
  space: readonly Distribution[],
  number: number,
  observations: readonly Observation[],
): number[] | undefined {
  const { type, rule, seed } = sweep.sampling;
  const random = createRandom(seed, number);
  if (type === "grid") return gridPoint(space, number - 1);
  if (type === "random" && rule === "sobol") return sobolPoint(number, space.length, random);
  if (type === "bayesian" && observations.length >= startupTrials) return learnedPoint(space, observations, random);
  return space.map(random);
}

function gridPoint(space: readonly Distribution[], index: number): number[] | undefined {
  const point: number[] = [];
  let rest = index;
  for (const distribution of space.toReversed()) {
    if (distribution.type !== "choice") throw new Error("a grid is made of choices");
    const { length } = distribution.values;
    point.unshift(((rest % length) + 0.5) / length);
    rest = Math.floor(rest / length);
  }
  return rest > 0 ? undefined : point;
}

/**
 * Tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011), one dimension at a time:
 * of some candidates drawn where good trials lay, the one where good trials are densest against the others.
 */
function learnedPoint(
  space: readonly Distribution[],
  observations: readonly Observation[],
  random: () => number,
): number[] {
  const sorted = observations.toSorted((a, b) => b.quality - a.quality);
  const count = Math.max(1, Math.ceil(goodShare * sorted.length));
  const good = sorted.slice(0, count);
  const others = sorted.slice(count);
  return space.map((distribution, dimension) => {
    const at = (of: readonly Observation[]) => of.map(({ point }) => point[dimension] ?? 0.5);
    const [goodAt, othersAt] = [at(good), at(others)];
    const density = isOrdered(distribution) ? smoothDensity : countDensity(distribution);
    let best = { u: random(), score: -Infinity };
    for (let candidate = 0; candidate < candidates; candidate += 1) {
      const u = drawNear(distribution, goodAt, random);
      const score = Math.log(density(u, goodAt)) - Math.log(density(u, othersAt));
      if (score > best.score) best = { u, score };
    }
    return best.u;
  });
}

function drawNear(distribution: Distribution, points: readonly number[], random: () => number): number {
  // Now and then from anywhere, so that no corner is given up for good.
  if (random() < 1 / (points.length + 1)) return random();
  const centre = points[Math.floor(random() * points.length)] ?? 0.5;
  if (!isOrdered(distribution)) return centre;
  const u =
    centre + bandwidth(points.length) * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(1 - 1e-9, Math.max(0, u));
}

const bandwidth = (count: number) => Math.max(0.05, 0.4 * count ** -0.4);

/** Gaussian kernels over the points, and a uniform prior with the weight of one point. */
function smoothDensity(u: number, points: readonly number[]): number {
  const width = bandwidth(points.length);
  const kernels = points.reduce(
    (sum, point) => sum + Math.exp(-0.5 * ((u - point) / width) ** 2) / (width * Math.sqrt(2 * Math.PI)),
    0,
  );
  return (1 + kernels) / (1 + points.length);
}

/** How often the points fell on the same choice, with one imagined point for each. */
function countDensity(distribution: Distribution): (u: number, points: readonly number[]) => number {
  const choices = distribution.type === "choice" ? distribution.values.length : 1;
  const choiceOf = (u: number) => Math.min(choices - 1, Math.floor(u * choices));
  return (u, points) =>
    (1 / choices + points.filter((point) => choiceOf(point) === choiceOf(u)).length) / (1 + points.length);
}

/** Numbers of [0, 1) that depend on the seed and the trial alone (SplitMix32). */
function createRandom(seed: number, number: number): () => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}
