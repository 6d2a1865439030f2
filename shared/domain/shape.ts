// Readers of untyped documents. A schema library tells that a value is wrong; these also tell where it was written, warn
// of keys nobody knows instead of refusing them, and read a number written as text, as Azure ML does.
import { type Field, type IssueList, fieldOf } from "./issue-list.ts";
import { pythonText } from "./python-text.ts";

/** Gives the value, or undefined after having told what is wrong. It is never called for an absent or null value. */
export type Reader<Value> = (value: unknown, field: Field, list: IssueList) => Value | undefined;

export type Mapping = Readonly<Record<string, unknown>>;

type Readers = Readonly<Record<string, Reader<unknown>>>;
export type ShapeOf<Fields extends Readers> = {
  readonly [Name in keyof Fields]?: Fields[Name] extends Reader<infer Value> ? Value : never;
};

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function reader<Value>(expected: string, read: (value: unknown) => Value | undefined): Reader<Value> {
  return (value, field, list) => {
    const result = read(value);
    if (result === undefined) list.error(field, `expected ${expected}, got ${describe(value)}`);
    return result;
  };
}

export const anything: Reader<unknown> = (value) => value;
export const mapping = reader("a mapping", (value) => (isMapping(value) ? value : undefined));
export const text = reader("text", (value) => (isLiteral(value) ? pythonText(value) : undefined));
export const number = reader("a number", readNumber);
export const integer = reader("a whole number", (value) => {
  const result = readNumber(value);
  return result !== undefined && Number.isSafeInteger(result) ? result : undefined;
});
export const positiveInteger = reader("a whole number above 0", (value) => {
  const result = readNumber(value);
  return result !== undefined && Number.isSafeInteger(result) && result > 0 ? result : undefined;
});
export const seconds = reader("seconds, a whole number above 0", (value) => {
  const result = readNumber(value);
  return result !== undefined && Number.isSafeInteger(result) && result > 0 ? result : undefined;
});
export const flag = reader("true or false", (value) => {
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.toLowerCase() : undefined;
  return word === "true" ? true : word === "false" ? false : undefined;
});

export function isLiteral(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** One of `names`, in any letter case. */
export function oneOf<Name extends string>(names: readonly Name[]): Reader<Name> {
  return (value, field, list) => {
    const found = names.find((name) => name === String(value).toLowerCase());
    if (found === undefined) {
      const nearest = { name: String(value), among: names };
      list.error(field, `expected one of ${names.map((name) => `\`${name}\``).join(", ")}, got ${describe(value)}`, {
        nearest,
      });
    }
    return found;
  };
}

export function listOf<Value>(item: Reader<Value>): Reader<readonly Value[]> {
  return (value, field, list) => {
    if (!Array.isArray(value)) {
      list.error(field, `expected a list, got ${describe(value)}`);
      return undefined;
    }
    return (value as unknown[]).flatMap((entry, index) => item(entry, fieldOf(field.path, value, index), list) ?? []);
  };
}

export function recordOf<Value>(item: Reader<Value>): Reader<Readonly<Record<string, Value>>> {
  return (value, field, list) => {
    const entries = mapping(value, field, list);
    if (entries === undefined) return undefined;
    const read: Record<string, Value> = {};
    for (const [key, entry] of Object.entries(entries)) {
      const result = entry === null ? undefined : item(entry, fieldOf(field.path, entries, key), list);
      if (result !== undefined) read[key] = result;
    }
    return read;
  };
}

/** A mapping with these fields, all optional; an unknown key is warned of and otherwise left alone. */
export function shape<Fields extends Readers>(fields: Fields): Reader<ShapeOf<Fields>> {
  return (value, field, list) => {
    const entries = mapping(value, field, list);
    if (entries === undefined) return undefined;
    const read: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(entries)) {
      const entryField = fieldOf(field.path, entries, key);
      const readEntry = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (readEntry === undefined) {
        list.warn(entryField, `\`${key}\` is not known here; it has no effect`, {
          atKey: true,
          nearest: { name: key, among: Object.keys(fields) },
        });
      } else if (entry !== null && entry !== undefined) {
        const result = readEntry(entry, entryField, list);
        if (result !== undefined) read[key] = result;
      }
    }
    // Each field was read by its own reader, so the object has the types that ShapeOf derives from them.
    return read as ShapeOf<Fields>;
  };
}

/** How a value is named in a message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string")
    return value === "" ? "an empty text" : `the text \`${value.length > 60 ? `${value.slice(0, 57)}...` : value}\``;
  if (Array.isArray(value)) return "a list";
  return isLiteral(value) ? `\`${value}\`` : "a mapping";
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value)) return undefined;
  return Number(value);
}
