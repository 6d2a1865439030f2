// The distributions of a search space. Each maps a number of the unit interval to a value, so that every sampler works in the
// unit cube and knows no distribution. Meanings as Azure ML's documentation of hyperparameter expressions gives them.
import { z } from "zod";

const Literal = z.union([z.string(), z.number(), z.boolean()]);
export type SampleValue = z.infer<typeof Literal>;

const range = { min_value: z.number(), max_value: z.number() };
const bell = { mu: z.number(), sigma: z.number().positive() };
const step = { q: z.number().positive() };

export const Distribution = z.discriminatedUnion("type", [
  z.object({ type: z.literal("choice"), values: z.array(Literal).min(1) }),
  z.object({ type: z.literal("randint"), upper: z.number().int().positive() }),
  z.object({ type: z.literal("uniform"), ...range }),
  z.object({ type: z.literal("quniform"), ...range, ...step }),
  /** `exp` of a uniform number: the bounds are exponents. */
  z.object({ type: z.literal("loguniform"), ...range }),
  z.object({ type: z.literal("qloguniform"), ...range, ...step }),
  z.object({ type: z.literal("normal"), ...bell }),
  z.object({ type: z.literal("qnormal"), ...bell, ...step }),
  z.object({ type: z.literal("lognormal"), ...bell }),
  z.object({ type: z.literal("qlognormal"), ...bell, ...step }),
]);
export type Distribution = z.infer<typeof Distribution>;

/** Whether values of a distribution have an order that a sampler can learn from. */
export function isOrdered(distribution: Distribution): boolean {
  return distribution.type !== "choice" || distribution.values.every((value) => typeof value === "number");
}

/** The value at `u` of [0, 1). */
export function valueAt(distribution: Distribution, u: number): SampleValue {
  switch (distribution.type) {
    case "choice": {
      const { values } = distribution;
      const value = values[Math.min(values.length - 1, Math.floor(u * values.length))];
      if (value === undefined) throw new Error("a choice without values");
      return value;
    }
    case "randint":
      return Math.min(distribution.upper - 1, Math.floor(u * distribution.upper));
    case "uniform":
      return between(distribution, u);
    case "quniform":
      return rounded(between(distribution, u), distribution.q);
    case "loguniform":
      return Math.exp(between(distribution, u));
    case "qloguniform":
      return rounded(Math.exp(between(distribution, u)), distribution.q);
    case "normal":
      return bellAt(distribution, u);
    case "qnormal":
      return rounded(bellAt(distribution, u), distribution.q);
    case "lognormal":
      return Math.exp(bellAt(distribution, u));
    case "qlognormal":
      return rounded(Math.exp(bellAt(distribution, u)), distribution.q);
  }
}

function between({ min_value: min, max_value: max }: { min_value: number; max_value: number }, u: number): number {
  return min + u * (max - min);
}

function rounded(value: number, q: number): number {
  // `q` of 0.1 must give 0.3 and not 0.30000000000000004.
  return Number((Math.round(value / q) * q).toPrecision(12));
}

function bellAt({ mu, sigma }: { mu: number; sigma: number }, u: number): number {
  return mu + sigma * inverseNormal(Math.min(1 - 1e-9, Math.max(1e-9, u)));
}

/** Quantile of the standard normal distribution; rational approximation of P. J. Acklam, relative error below 1.15e-9. */
function inverseNormal(p: number): number {
  const low = 0.02425;
  if (p < low) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - low) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const a = polynomial(
    [
      -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
      2.506628277459239,
    ],
    r,
  );
  const b = polynomial(
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
    r,
  );
  return (a * q) / b;
}

function tail(q: number): number {
  const c = polynomial(
    [
      -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
      2.938163982698783,
    ],
    q,
  );
  const d = polynomial([0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1], q);
  return c / d;
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
