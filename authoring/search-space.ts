// The distributions of a sweep. Each is the mapping that YAML has in its place and may as well be written so.
import type { Literal, LiteralInput } from "./ports.ts";

interface Choice<Value extends Literal = Literal> {
  readonly type: "choice";
  readonly values: readonly [Value, ...Value[]];
}

interface Range<Type extends string> {
  readonly type: Type;
  readonly min_value: number;
  readonly max_value: number;
}

interface Bell<Type extends string> {
  readonly type: Type;
  readonly mu: number;
  readonly sigma: number;
}

interface Stepped {
  readonly q: number;
}

type AnyNumber = Range<"uniform" | "loguniform"> | Bell<"normal" | "lognormal">;
type WholeNumber =
  | { readonly type: "randint"; readonly upper: number }
  | (Range<"quniform" | "qloguniform"> & Stepped)
  | (Bell<"qnormal" | "qlognormal"> & Stepped);

/** What may stand in place of a value of the port: data cannot be searched, nor texts and flags but by choice. */
export type DistributionOver<Port> =
  Port extends LiteralInput<infer Type, infer Value>
    ? Choice<Value> | (Type extends "number" ? AnyNumber | WholeNumber : Type extends "integer" ? WholeNumber : never)
    : never;

/** One of the values. Grid sampling tries all of them. */
export function choice<const Values extends readonly [Literal, ...Literal[]]>(
  ...values: Values
): Choice<Values[number]> {
  // A list of some values of a union is a list of values of the union.
  return { type: "choice", values: values as unknown as Choice<Values[number]>["values"] };
}

/** A whole number from 0 up to and without `upper`. */
export function randint(upper: number) {
  return { type: "randint", upper } as const;
}

/** Any number between the two. */
export function uniform(min: number, max: number): Range<"uniform"> {
  return { type: "uniform", min_value: min, max_value: max };
}

/** As `uniform`, rounded to multiples of `q`. */
export function quniform(min: number, max: number, q: number): Range<"quniform"> & Stepped {
  return { type: "quniform", min_value: min, max_value: max, q };
}

/** `exp(x)` for `x` between the two: the bounds are exponents, so that `loguniform(-9.2, -2.3)` is 0.0001 to 0.1. */
export function loguniform(min: number, max: number): Range<"loguniform"> {
  return { type: "loguniform", min_value: min, max_value: max };
}

/** As `loguniform`, rounded to multiples of `q`. */
export function qloguniform(min: number, max: number, q: number): Range<"qloguniform"> & Stepped {
  return { type: "qloguniform", min_value: min, max_value: max, q };
}

/** Normally distributed with the mean `mu` and the standard deviation `sigma`. */
export function normal(mu: number, sigma: number): Bell<"normal"> {
  return { type: "normal", mu, sigma };
}

/** As `normal`, rounded to multiples of `q`. */
export function qnormal(mu: number, sigma: number, q: number): Bell<"qnormal"> & Stepped {
  return { type: "qnormal", mu, sigma, q };
}

/** `exp(x)` for a normally distributed `x`. */
export function lognormal(mu: number, sigma: number): Bell<"lognormal"> {
  return { type: "lognormal", mu, sigma };
}

/** As `lognormal`, rounded to multiples of `q`. */
export function qlognormal(mu: number, sigma: number, q: number): Bell<"qlognormal"> & Stepped {
  return { type: "qlognormal", mu, sigma, q };
}
