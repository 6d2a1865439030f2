// Plain values straight from the YAML library's tokens, for documents of the usual form: blocks, flows on one line, scalars,
// comments. The library's composer builds a tree of nodes in between, which costs half as much again as reading the tokens. All
// that it could have something against, and all that is rare (anchors, tags, merges, explicit keys, tabs), is left to it.
import { CST } from "yaml";
import { type EntryOffsets, type Origin, setSource } from "./source-map.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

const unusual = new Error("not of the usual form");
/** What may stand before and behind a document. */
const between: ReadonlySet<string> = new Set(["byte-order-mark", "space", "newline", "comment"]);

/** The value of the one document in `tokens`; undefined when the composer has to look at it. */
export function readTokens(tokens: readonly CST.Token[], origin: Origin): { readonly value: unknown } | undefined {
  const [document, ...others] = tokens.filter(({ type }) => !between.has(type));
  if (document?.type !== "document" || document.value === undefined || others.length > 0) return undefined;
  try {
    readBlanks(document.start, undefined, true);
    readBlanks(document.end ?? [], undefined, false);
    return { value: read(document.value, origin) };
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
}

function read(token: CST.Token, origin: Origin): unknown {
  const { type } = token;
  if (type === "block-map") return readBlockMap(token, origin);
  if (type === "block-seq") return readBlockList(token, origin);
  if (type === "flow-collection") return readFlow(token, origin);
  if (type === "scalar" && isOneLine(token.source)) {
    readEnd(token.end);
    return readPlainScalar(token.source);
  }
  if (type === "scalar" || type === "single-quoted-scalar" || type === "double-quoted-scalar") return readText(token);
  if (type === "block-scalar") return readText(token);
  throw unusual;
}

function readBlockMap(map: CST.BlockMap, origin: Origin): unknown {
  const mapping = createMapping();
  for (const { start, key, sep, value } of map.items) {
    readBlanks(start, undefined, true);
    // Comments below the last entry.
    if (key === undefined && sep === undefined && value === undefined) continue;
    if (key === undefined || key === null || sep === undefined || !("indent" in key) || key.indent !== map.indent)
      throw unusual;
    const { found, hasNewline, hasBlank, emptyAt } = readBlanks(sep, "map-value-ind", false);
    if (!found || (value !== undefined && !hasBlank)) throw unusual;
    if ((value?.type === "block-map" || value?.type === "block-seq") && !hasNewline) throw unusual;
    mapping.add(key, value === undefined ? null : read(value, origin), value?.offset ?? emptyAt);
  }
  return mapping.finish(origin, map.offset);
}

function readBlockList(list: CST.BlockSequence, origin: Origin): unknown[] {
  const items = createList();
  for (const { start, key, sep, value } of list.items) {
    const { found, hasBlank, emptyAt } = readBlanks(start, "seq-item-ind", true);
    if (key !== undefined || sep !== undefined) throw unusual;
    if (!found) {
      if (value !== undefined) throw unusual;
      continue;
    }
    const isIndented = start.some(({ type, indent }) => type === "seq-item-ind" && indent === list.indent);
    if (!isIndented || (value !== undefined && !hasBlank)) throw unusual;
    items.add(value === undefined ? null : read(value, origin), value?.offset ?? emptyAt);
  }
  return items.finish(origin, list.offset);
}

function readFlow(flow: CST.FlowCollection, origin: Origin): unknown {
  const isMap = flow.start.source === "{";
  const [close, ...behind] = flow.end;
  if (close?.source !== (isMap ? "}" : "]")) throw unusual;
  readBlanks(behind, undefined, false);
  const [mapping, items] = [createMapping(), createList()];
  for (const [index, { start, key, sep, value }] of flow.items.entries()) {
    const { found, hasNewline } = readBlanks(start, "comma", false);
    if (hasNewline || value?.type === "block-map" || value?.type === "block-seq") throw unusual;
    const isNothing = key === undefined && sep === undefined && value === undefined;
    // A comma may stand before the end.
    if (isNothing && found && index > 0 && index === flow.items.length - 1) continue;
    if (found !== index > 0 || isNothing) throw unusual;
    if (!isMap) {
      if (key !== undefined || sep !== undefined || value === undefined) throw unusual;
      items.add(read(value, origin), value.offset);
      continue;
    }
    if (key === undefined || key === null || sep === undefined) throw unusual;
    const colon = readBlanks(sep, "map-value-ind", false);
    if (colon.hasNewline || (!colon.found && value !== undefined)) throw unusual;
    const at = value?.offset ?? (colon.found ? colon.emptyAt : key.offset);
    mapping.add(key, value === undefined ? null : read(value, origin), at);
  }
  return isMap ? mapping.finish(origin, flow.offset) : items.finish(origin, flow.offset);
}

function createMapping() {
  const value: Record<string, unknown> = {};
  const entries = new Map<string, EntryOffsets>();
  return {
    add(keyToken: CST.Token, item: unknown, at: number): void {
      const key = readKey(keyToken);
      if (entries.has(key)) throw unusual;
      entries.set(key, { key: keyToken.offset, value: at });
      value[key] = item;
    },
    finish(origin: Origin, start: number): unknown {
      setSource(value, { origin, start, entries });
      return value;
    },
  };
}

function createList() {
  const value: unknown[] = [];
  const entries = new Map<string, EntryOffsets>();
  return {
    add(item: unknown, at: number): void {
      entries.set(String(value.length), { key: at, value: at });
      value.push(item);
    },
    finish(origin: Origin, start: number): unknown[] {
      setSource(value, { origin, start, entries });
      return value;
    },
  };
}

const longestKey = 1000;

function readKey(token: CST.Token): string {
  if (token.type !== "scalar" && token.type !== "single-quoted-scalar" && token.type !== "double-quoted-scalar")
    throw unusual;
  const { source } = token;
  if (source.includes("\n") || source.length > longestKey) throw unusual;
  readEnd(token.end);
  if (token.type !== "scalar") {
    const text = textOf(token);
    if (text === "__proto__") throw unusual;
    return text;
  }
  if (!isOneLine(source) || source === "<<" || source === "__proto__" || source.charCodeAt(0) > 0x7f) throw unusual;
  return source;
}

/** A plain scalar that the composer takes as it is written. */
function isOneLine(source: string): boolean {
  return source !== "" && !source.includes("\n") && !/^[\t,%|>@`]/.test(source);
}

function readText(token: CST.FlowScalar | CST.BlockScalar): unknown {
  const text = textOf(token);
  return token.type === "scalar" ? readPlainScalar(text) : text;
}

function textOf(token: CST.FlowScalar | CST.BlockScalar): string {
  const resolved = CST.resolveAsScalar(token, true, () => {
    throw unusual;
  });
  if (resolved === null) throw unusual;
  return resolved.value;
}

function readEnd(end: readonly CST.SourceToken[] | undefined): void {
  if (end !== undefined && end.length > 0) readBlanks(end, undefined, false);
}

interface Blanks {
  /** The indicator is there. */
  readonly found: boolean;
  readonly hasNewline: boolean;
  /** White space or nothing follows the indicator. */
  readonly hasBlank: boolean;
  /** Where a value that is left out would stand. */
  readonly emptyAt: number;
}

/** Blanks, comments and at most one `indicator`; anything else is unusual. @param isLineStart nothing stands before them */
function readBlanks(tokens: readonly CST.SourceToken[], indicator: string | undefined, isLineStart: boolean): Blanks {
  let [found, hasNewline, hasBlank, emptyAt, isBeside] = [false, false, isLineStart, 0, false];
  for (const { type, source, offset } of tokens) {
    if (type === "space") {
      if (source.includes("\t")) throw unusual;
      if (isBeside) emptyAt += source.length;
      hasBlank = true;
      continue;
    }
    isBeside = false;
    if (type === "newline") [hasNewline, hasBlank] = [true, true];
    else if (type === "comment" && hasBlank) continue;
    else if (type === indicator && !found) {
      [found, hasBlank, isBeside] = [true, false, true];
      emptyAt = offset + source.length;
    } else throw unusual;
  }
  return { found, hasNewline, hasBlank, emptyAt };
}
