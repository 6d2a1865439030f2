// What Azure ML's client makes of a plain scalar: it reads YAML 1.1, where `yes` is a boolean, `010` is eight and `1e-3`
// is text. https://yaml.org/type/ as PyYAML resolves it, but for base-60 numbers, which stay text.
import { pythonFloat } from "./python-text.ts";

const booleans = new Map<string, boolean>(
  [
    ["true", true],
    ["yes", true],
    ["on", true],
    ["false", false],
    ["no", false],
    ["off", false],
  ].flatMap(([word, value]) => spellings(word as string).map((spelling) => [spelling, value as boolean] as const)),
);
const nulls = new Set(["", "~", ...spellings("null")]);
const integerPattern = /^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$/;
const floatPattern = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/;
const specialFloats = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;

/**
 * The value of an unquoted scalar. A number that Python prints in another way than JSON (`1.0`, `1e-05`, `inf`, one with
 * twenty digits) stays text in Python's way: every field for numbers takes it, and a program reads it as it was meant.
 */
export function readPlainScalar(source: string): string | number | boolean | null {
  if (nulls.has(source)) return null;
  const boolean = booleans.get(source);
  if (boolean !== undefined) return boolean;
  if (integerPattern.test(source)) return readInteger(source);
  if (floatPattern.test(source)) return readFloat(Number(source.replaceAll("_", "")));
  return specialFloats.test(source) ? source.toLowerCase().replaceAll(/[.+]/g, "") : source;
}

function readInteger(source: string): string | number {
  const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(source.replaceAll("_", "")) ?? [];
  const octal = /^0[0-7]+$/.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits === "0b" || digits === "0x" ? "0" : digits);
  const value = sign === "-" ? -magnitude : magnitude;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function readFloat(value: number): string | number {
  const text = pythonFloat(value);
  return text === String(value) && Number.isFinite(value) ? value : text;
}

function spellings(word: string): string[] {
  return [word, `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`, word.toUpperCase()];
}
