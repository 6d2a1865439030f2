// A literal becomes what the program will read by its declared type, not by how YAML read it.
import type { LiteralType } from "./data-types.ts";
import { pythonFloat, pythonText } from "./python-text.ts";
import { describe } from "./shape.ts";

export type Literal = string | number | boolean;

export interface LiteralDeclaration {
  readonly kind: "literal";
  readonly type: LiteralType;
  readonly isOptional: boolean;
  /** Already in the form that the program reads. */
  readonly default?: string;
  /** That is wrong with it, which has been told. */
  readonly broken?: "type" | "default";
  readonly min?: number;
  readonly max?: number;
  readonly enum?: readonly string[];
}

export type Coerced =
  | { readonly value: string; readonly note?: string }
  | { readonly value: undefined; readonly problem: string; readonly nearest?: readonly string[] };

const floatPattern = /^[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const specialFloats = new Map([
  ["inf", Infinity],
  ["infinity", Infinity],
  ["nan", NaN],
]);
const expectations: Record<LiteralType, string> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
};

/** The text that the program receives for `literal`, or what is wrong with it. */
export function coerceLiteral(
  literal: Literal,
  declaration: Pick<LiteralDeclaration, "type" | "min" | "max" | "enum">,
): Coerced {
  const coerced = converters[declaration.type](literal);
  if (coerced === undefined)
    return { value: undefined, problem: `expected ${expectations[declaration.type]}, got ${describe(literal)}` };
  const { min, max, enum: allowed } = declaration;
  // `inf` and `nan` are Python's words, which JavaScript's `Number` does not know.
  const amount = readFloat(coerced.value) ?? NaN;
  if (Number.isNaN(amount) && (min !== undefined || max !== undefined))
    return { value: undefined, problem: `expected ${expectations[declaration.type]} between its bounds, got nan` };
  if (min !== undefined && amount < min)
    return { value: undefined, problem: `${coerced.value} is below the minimum ${min}` };
  if (max !== undefined && amount > max)
    return { value: undefined, problem: `${coerced.value} is above the maximum ${max}` };
  if (allowed !== undefined && !allowed.includes(coerced.value)) {
    return {
      value: undefined,
      problem: `expected one of ${allowed.map((name) => `\`${name}\``).join(", ")}, got ${describe(coerced.value)}`,
      nearest: allowed,
    };
  }
  return coerced;
}

/** Whether every value of one type is one of the other; a text may hold anything, which is seen when it is read. */
export function isReadAs(given: LiteralType, wanted: LiteralType): boolean {
  return given === wanted || given === "string" || wanted === "string" || (given === "integer" && wanted === "number");
}

type Converted = { readonly value: string; readonly note?: string } | undefined;

const converters: Record<LiteralType, (literal: Literal) => Converted> = {
  string: (literal) => ({ value: pythonText(literal) }),

  number(literal) {
    if (typeof literal === "boolean") return undefined;
    if (typeof literal === "number") return { value: pythonText(literal) };
    const written = literal.trim();
    if (/^[-+]?\d+$/.test(written)) return { value: String(BigInt(written.replace("+", ""))) };
    const value = readFloat(written);
    return value === undefined ? undefined : { value: pythonFloat(value) };
  },

  integer(literal) {
    if (typeof literal === "boolean") return undefined;
    const written = String(literal).trim();
    if (/^[-+]?\d+$/.test(written)) return { value: String(BigInt(written.replace("+", ""))) };
    const value = readFloat(written);
    if (value === undefined || !Number.isFinite(value)) return undefined;
    const whole = String(BigInt(Math.trunc(value)));
    return Number.isInteger(value)
      ? { value: whole }
      : { value: whole, note: `${written} is cut to ${whole}, since a whole number is declared` };
  },

  boolean(literal) {
    if (typeof literal === "boolean") return { value: pythonText(literal) };
    const word = String(literal).trim().toLowerCase();
    if (["true", "yes", "on"].includes(word)) return { value: "True" };
    return ["false", "no", "off"].includes(word) ? { value: "False" } : undefined;
  },
};

function readFloat(written: string): number | undefined {
  if (floatPattern.test(written)) return Number(written.replaceAll("_", ""));
  const special = specialFloats.get(written.toLowerCase().replace(/^[-+]/, ""));
  return special === undefined ? undefined : written.startsWith("-") ? -special : special;
}
