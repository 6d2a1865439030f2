// YAML text to plain JSON values that remember where they were written. Text is hostile until proven otherwise: size,
// nesting, number of tokens and what aliases expand to are bounded before anything is built from it.
import {
  type Alias,
  Composer,
  type Document,
  Lexer,
  LineCounter,
  Parser,
  type YAMLMap,
  isAlias,
  isMap,
  isScalar,
  isSeq,
} from "yaml";
import type { Issue } from "../errors.ts";
import { maxTextBytes } from "./file-source.ts";
import { type EntryOffsets, type Origin, entriesOf, setSource } from "./source-map.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

const maxDepth = 100;
const maxTokens = 400_000;
const maxDirectives = 10;
/** How many values a document may hold once aliases are written out. */
export const maxExpandedValues = 500_000;

/** `value` is undefined exactly when `issues` says why. */
export interface YamlRead {
  readonly value: unknown;
  readonly issues: readonly Issue[];
}

/** Reads one YAML document; `file` is the name that issues carry. */
export function readYaml(text: string, file: string | undefined): YamlRead {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const problems = createProblems(file, lines);
  const document =
    text.length > maxTextBytes
      ? problems.fail(`the text is longer than ${maxTextBytes / 1024 / 1024} MB`)
      : parse(text, lines, problems);
  if (document === undefined) return { value: undefined, issues: problems.issues };
  const value = createConverter({ file, lines, document }, problems).convert(document.contents).value;
  return problems.issues.length > 0 ? { value: undefined, issues: problems.issues } : { value, issues: [] };
}

interface Problems {
  readonly issues: Issue[];
  /** Adds an error and returns undefined. */
  fail(message: string, offset?: number): undefined;
}

function createProblems(file: string | undefined, lines: LineCounter): Problems {
  const issues: Issue[] = [];
  return {
    issues,
    fail(message, offset) {
      const place = offset === undefined ? undefined : lines.linePos(offset);
      issues.push({
        path: "",
        severity: "error",
        message,
        ...(file === undefined ? {} : { file }),
        ...(place === undefined || place.line === 0 ? {} : { line: place.line, column: place.col }),
      });
      return undefined;
    },
  };
}

function parse(text: string, lines: LineCounter, problems: Problems): Document | undefined {
  const forbidden = text.search(/[\0\uFFFE]/);
  if (forbidden >= 0) return problems.fail("is not UTF-8 text (it holds NUL characters, as UTF-16 does)");
  if (!isBounded(text)) return problems.fail(`holds more than ${maxTokens} YAML tokens`);
  const parser = new Parser(lines.addNewLine);
  // Scalars stay text here: which of them are numbers is decided by yaml-scalar.ts. The library's own check for
  // repeated keys compares each with each, which a hundred thousand keys turn into minutes.
  const composer = new Composer({
    schema: "failsafe",
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const documents: Document[] = [];
  let directives = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    for (const token of parser.next(lexeme)) {
      if (token.type === "error") return problems.fail(token.message, offset);
      if (token.type === "directive" && ++directives > maxDirectives)
        return problems.fail("holds too many YAML directives", offset);
      documents.push(...(composer.next(token) as Iterable<Document>));
      if (documents.length > 1) return problems.fail("holds more than one YAML document; keep one", offset);
    }
    if (parser.stack.length > maxDepth * 2) return problems.fail(`is nested more than ${maxDepth} deep`, offset);
  }
  for (const token of parser.end()) documents.push(...(composer.next(token) as Iterable<Document>));
  documents.push(...(composer.end() as Iterable<Document>));
  const [document] = documents;
  if (document === undefined || document.contents === null) return problems.fail("is empty; a mapping was expected");
  if (documents.length > 1)
    return problems.fail("holds more than one YAML document; keep one", documents[1]?.range?.[0]);
  for (const error of document.errors.slice(0, 20))
    problems.fail(plainMessage(error.code, error.message), error.pos[0]);
  return document.errors.length > 0 ? undefined : document;
}

// Counting first keeps memory flat: the parser holds every token of a document until its end.
function isBounded(text: string): boolean {
  if (text.length < maxTokens) return true;
  let tokens = 0;
  for (const _lexeme of new Lexer().lex(text)) if (++tokens > maxTokens) return false;
  return true;
}

function plainMessage(code: string, message: string): string {
  if (code === "TAB_AS_INDENT") return "is indented with a tab; YAML allows spaces only";
  return message.replace(/\s+at line \d+, column \d+:?[\s\S]*$/, "");
}

interface Converted {
  readonly value: unknown;
  /** Values in it, aliases written out. */
  readonly size: number;
}

const simple = (value: unknown): Converted => ({ value, size: 1 });

function createConverter(origin: Origin, problems: Problems) {
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
      if (key === undefined || key === "__proto__") {
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
    if (problems.issues.length < 20) problems.fail(message, startOf(node) ?? 0);
    return simple(null);
  }

  return { convert };
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
