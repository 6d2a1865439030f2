// Inline route constraints of ASP.NET Core routing, as HTTP triggers use them.
// https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints
export type Constraint = (value: string) => boolean;

const int32 = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const guidHex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const guid = new RegExp(`^(?:${guidHex}|\\{${guidHex}\\}|\\(${guidHex}\\)|[0-9a-f]{32})$`, "i");
const isoDate = /^\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/i;

const constraints: Record<string, (args: readonly string[], text: string) => Constraint> = {
  int: () => (value) => isWithin(value, int32),
  long: () => (value) => isWithin(value, int64),
  bool: () => (value) => /^(?:true|false)$/i.test(value),
  datetime: () => (value) => isoDate.test(value) && !Number.isNaN(Date.parse(value)),
  decimal: () => (value) => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(value),
  double: () => isFloat,
  float: () => isFloat,
  guid: () => (value) => guid.test(value),
  alpha: () => (value) => /^[a-z]*$/i.test(value),
  required: () => (value) => value !== "",
  minlength:
    ([n]) =>
    (value) =>
      value.length >= toCount(n),
  maxlength:
    ([n]) =>
    (value) =>
      value.length <= toCount(n),
  length:
    ([n, m = n]) =>
    (value) =>
      value.length >= toCount(n) && value.length <= toCount(m),
  min:
    ([n]) =>
    (value) =>
      isWithin(value, { min: toBound(n), max: int64.max }),
  max:
    ([n]) =>
    (value) =>
      isWithin(value, { min: int64.min, max: toBound(n) }),
  range:
    ([n, m]) =>
    (value) =>
      isWithin(value, { min: toBound(n), max: toBound(m) }),
  regex(_, text) {
    const pattern = new RegExp(text, "i");
    return (value) => pattern.test(value);
  },
};

/** `name` or `name(arguments)`. @throws with a sentence about what is wrong with it */
export function parseConstraint(text: string): Constraint {
  const match = /^([a-z]+)(?:\((.*)\))?$/is.exec(text);
  const create = match?.[1] === undefined ? undefined : constraints[match[1].toLowerCase()];
  if (create === undefined) {
    throw new Error(`the constraint "${text}" is unknown; there are ${Object.keys(constraints).join(", ")}`);
  }
  const inner = match?.[2] ?? "";
  try {
    const constraint = create(inner === "" ? [] : inner.split(",").map((arg) => arg.trim()), inner);
    constraint("0");
    return constraint;
  } catch (error) {
    throw new Error(`the constraint "${text}" has wrong arguments`, { cause: error });
  }
}

function isWithin(value: string, bounds: { min: bigint; max: bigint }): boolean {
  if (!/^[+-]?\d{1,20}$/.test(value)) return false;
  const number = BigInt(value.replace("+", ""));
  return number >= bounds.min && number <= bounds.max;
}

function isFloat(value: string): boolean {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(value);
}

function toCount(text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw new Error("a length is a whole number");
  return Number(text);
}

function toBound(text: string | undefined): bigint {
  if (text === undefined || !/^-?\d{1,19}$/.test(text)) throw new Error("a bound is a whole number");
  return BigInt(text);
}
