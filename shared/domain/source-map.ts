// Where each value of a document was written. Kept beside the values, by identity, so that documents stay plain JSON.
import type { LineCounter } from "yaml";

export interface Place {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

/** The text that a mapping or sequence came from. */
export interface Origin {
  readonly file: string | undefined;
  readonly lines: LineCounter;
}

/** Offsets into the origin's text. */
export interface EntryOffsets {
  readonly key: number;
  readonly value: number;
}

interface Source {
  readonly origin: Origin;
  readonly start: number;
  readonly entries: ReadonlyMap<string, EntryOffsets & { readonly origin?: Origin }>;
}

const sources = new WeakMap<object, Source>();

/** Records where `holder` and its entries stand. */
export function setSource(holder: object, source: Source): void {
  sources.set(holder, source);
}

/** Gives `copy` the places of what it was made from, and returns it. */
export function keepSource<Copy extends object>(from: object, copy: Copy): Copy {
  const source = sources.get(from);
  if (source !== undefined) sources.set(copy, source);
  return copy;
}

/** The place of `holder`, or of its entry `key`; empty when it was not read from text. */
export function placeOf(holder: unknown, key?: string | number, part: "key" | "value" = "value"): Place {
  if (typeof holder !== "object" || holder === null) return {};
  const source = sources.get(holder);
  if (source === undefined) return {};
  const entry = key === undefined ? undefined : source.entries.get(String(key));
  const origin = entry?.origin ?? source.origin;
  const { line, col } = origin.lines.linePos(entry?.[part] ?? source.start);
  return { ...(origin.file === undefined ? {} : { file: origin.file }), line, column: col };
}

/** The file that `holder` was read from. */
export function fileOf(holder: object): string | undefined {
  return sources.get(holder)?.origin.file;
}

/** Takes over the places of a mapping's entries, as a merge key does. */
export function entriesOf(holder: object): ReadonlyMap<string, EntryOffsets & { readonly origin?: Origin }> {
  return sources.get(holder)?.entries ?? new Map<string, EntryOffsets>();
}
