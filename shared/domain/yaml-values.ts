// Parsed YAML to plain values. Aliases share what they name, so that writing them out is a matter of counting, and a
// value that would hold itself is found on the way.
import { type Alias, type YAMLMap, isAlias, isMap, isScalar, isSeq } from "yaml";
import { type EntryOffsets, type Origin, entriesOf, setSource } from "./source-map.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

/** How many values a document may hold once aliases are written out. */
export const maxExpandedValues = 500_000;

/** Takes an error and where in the text it is. */
export type Fail = (message: string, offset: number) => void;

interface Converted {
  readonly value: unknown;
  /** Values in it, aliases written out. */
  readonly size: number;
}

const simple = (value: unknown): Converted => ({ value, size: 1 });

/** A function from the nodes of `origin`'s document to plain values; what is wrong goes to `fail`. */
export function createValueReader(origin: Origin, fail: Fail): (node: unknown) => unknown {
  const done = new Map<unknown, Converted>();
  const underWay = new Set<unknown>();
  const anchors = new Map<string, unknown>();

  function convert(node: unknown): Converted {
    if (isAlias(node)) return convertAlias(node);
    if (typeof node === "object" && node !== null && "anchor" in node && typeof node.anchor === "string") {
      anchors.set(node.anchor, node);
      underWay.add(node);
      const converted = convertNode(node);
      underWay.delete(node);
      done.set(node, converted);
      return converted;
    }
    return convertNode(node);
  }

  function convertAlias(alias: Alias): Converted {
    const target = anchors.get(alias.source);
    if (target === undefined) return failAt(alias, `there is no anchor \`&${alias.source}\` before this alias`);
    if (underWay.has(target))
      return failAt(alias, `\`*${alias.source}\` stands inside its own anchor: the value would hold itself`);
    return done.get(target) ?? simple(null);
  }

  function convertNode(node: unknown): Converted {
    if (node === null || node === undefined) return simple(null);
    if (isMap(node)) return convertMap(node);
    if (isSeq(node)) {
      const value: unknown[] = [];
      const entries = new Map<string, EntryOffsets>();
      let size = 1;
      for (const item of node.items) {
        const converted = convert(item);
        const at = startOf(item) ?? node.range?.[0] ?? 0;
        entries.set(String(value.length), { key: at, value: at });
        value.push(converted.value);
        size += converted.size;
      }
      setSource(value, { origin, start: node.range?.[0] ?? 0, entries });
      return bounded(node, { value, size });
    }
    return isScalar(node) ? convertScalar(node) : failAt(node, "is no YAML value");
  }

  function convertScalar(node: { value: unknown; type?: string; tag?: string; source?: string }): Converted {
    const text = textIn(node.value);
    const tag = node.tag?.replace("tag:yaml.org,2002:", "!!");
    if (tag === undefined) return node.type === "PLAIN" ? plain(node.source ?? text) : simple(text);
    if (tag === "!!str" || tag === "!") return simple(text);
    if (["!!int", "!!float", "!!bool", "!!null"].includes(tag)) return plain(text);
    return failAt(node, `the tag \`${tag}\` is not supported`);
  }

  function plain(source: string): Converted {
    return simple(readPlainScalar(source));
  }

  function convertMap(node: YAMLMap): Converted {
    const value: Record<string, unknown> = {};
    const entries = new Map<string, EntryOffsets & { origin?: Origin }>();
    const merged: Record<string, unknown>[] = [];
    let size = 1;
    for (const { key: keyNode, value: valueNode } of node.items) {
      const key = keyOf(keyNode);
      const keyAt = startOf(keyNode) ?? node.range?.[0] ?? 0;
      const converted = convert(valueNode);
      size += converted.size;
      const blank = /^[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]/.exec(
        isPlain(keyNode) ? (key ?? "") : "",
      )?.[0];
      if (blank !== undefined) {
        const code = blank.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
        failAt(keyNode, `the key begins with U+${code}, which looks like a blank and is none; YAML indents by blanks`);
      } else if (key === undefined || key === "__proto__") {
        failAt(keyNode ?? node, key === undefined ? "a key must be text" : "`__proto__` is no allowed key");
      } else if (key === "<<" && isPlain(keyNode)) {
        merged.push(...mergeSources(converted.value, keyNode));
      } else if (entries.has(key)) {
        failAt(
          keyNode,
          `the key \`${key}\` stands here a second time; the first is in line ${origin.lines.linePos(entries.get(key)?.key ?? 0).line}`,
        );
      } else {
        entries.set(key, {
          key: keyAt,
          value: startOf(valueNode) ?? keyAt,
        });
        value[key] = converted.value;
      }
    }
    // A mapping's own keys win over merged ones, and earlier merged mappings over later ones.
    for (const source of merged) {
      for (const [key, item] of Object.entries(source)) {
        if (entries.has(key)) continue;
        value[key] = item;
        entries.set(key, entriesOf(source).get(key) ?? { key: node.range?.[0] ?? 0, value: node.range?.[0] ?? 0 });
      }
    }
    setSource(value, { origin, start: node.range?.[0] ?? 0, entries });
    return bounded(node, { value, size });
  }

  function mergeSources(value: unknown, node: unknown): Record<string, unknown>[] {
    const sources = Array.isArray(value) ? (value as unknown[]) : [value];
    if (sources.every(isMapping)) return sources;
    failAt(node, "`<<` merges a mapping or a list of mappings");
    return [];
  }

  function bounded(node: unknown, converted: Converted): Converted {
    return converted.size > maxExpandedValues
      ? failAt(node, `its aliases expand to more than ${maxExpandedValues} values`)
      : converted;
  }

  function failAt(node: unknown, message: string): Converted {
    fail(message, startOf(node) ?? 0);
    return simple(null);
  }

  return (node) => convert(node).value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return isPlain(node) ? (node.source ?? textIn(node.value)) : textIn(node.value);
}

// Every scalar of the failsafe schema is text.
function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isPlain(node: unknown): boolean {
  return isScalar(node) && node.type === "PLAIN" && node.tag === undefined;
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  const range = node.range as readonly [number, number, number] | null | undefined;
  return range?.[0];
}
