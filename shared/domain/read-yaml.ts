// YAML text to plain JSON values that remember where they were written. Text is hostile until proven otherwise: size,
// nesting, number of tokens and what aliases expand to are bounded before anything is built from it.
import { Composer, type CST, type Document, Lexer, LineCounter, Parser } from "yaml";
import type { Issue } from "../errors.ts";
import { maxTextBytes } from "./file-source.ts";
import { readTokens } from "./yaml-tokens.ts";
import { createValueReader } from "./yaml-values.ts";

const maxDepth = 100;
const maxTokens = 400_000;
const maxDirectives = 10;
/** One mistake is often told many times over; beyond this nobody reads on. */
const maxProblems = 20;

/** `value` is undefined exactly when `issues` says why. */
export interface YamlRead {
  readonly value: unknown;
  readonly issues: readonly Issue[];
}

/**
 * Reads one YAML document; `file` is the name that issues carry.
 *
 * @param readUsual - reads documents of the usual form, which need no composer
 */
export function readYaml(text: string, file: string | undefined, readUsual = readTokens): YamlRead {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const problems = createProblems(file, lines);
  const tokens =
    text.length > maxTextBytes
      ? problems.fail(`the text is longer than ${maxTextBytes / 1024 / 1024} MB`)
      : tokensIn(text, lines, problems);
  if (tokens === undefined) return { value: undefined, issues: problems.issues };
  const usual = readUsual(tokens, { file, lines });
  if (usual !== undefined) return { value: usual.value, issues: [] };
  const document = compose(tokens, text, lines, problems);
  if (document === undefined) return { value: undefined, issues: problems.issues };
  const value = createValueReader({ file, lines }, (message, offset) => problems.fail(message, offset))(
    document.contents,
  );
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
      if (issues.length >= maxProblems) return undefined;
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

function tokensIn(text: string, lines: LineCounter, problems: Problems): CST.Token[] | undefined {
  const forbidden = text.search(/[\0\uFFFE]/);
  if (forbidden >= 0) return problems.fail("is not UTF-8 text (it holds NUL characters, as UTF-16 does)");
  if (!isBounded(text)) return problems.fail(`holds more than ${maxTokens} YAML tokens`);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let directives = 0;
  let documents = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    for (const token of parser.next(lexeme)) {
      if (token.type === "error") return problems.fail(plainMessage("", token.message, lineAt(text, offset)), offset);
      if (token.type === "directive" && ++directives > maxDirectives)
        return problems.fail("holds too many YAML directives", offset);
      if (token.type === "document" && ++documents > 1)
        return problems.fail("holds more than one YAML document; keep one", token.offset);
      tokens.push(token);
    }
    if (parser.stack.length > maxDepth * 2) return problems.fail(`is nested more than ${maxDepth} deep`, offset);
  }
  tokens.push(...parser.end());
  return tokens;
}

function compose(
  tokens: readonly CST.Token[],
  text: string,
  lines: LineCounter,
  problems: Problems,
): Document | undefined {
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
  const [document, another] = [...composer.compose(tokens)] as Document[];
  if (document === undefined || document.contents === null) return problems.fail("is empty; a mapping was expected");
  if (another !== undefined) return problems.fail("holds more than one YAML document; keep one", another.range?.[0]);
  for (const { code, message, pos } of document.errors) {
    const [at] = pos;
    const quote = message.startsWith("Missing closing") ? openQuote(text) : undefined;
    if (quote !== undefined) problems.fail("the quote that begins here is not closed", quote);
    else problems.fail(plainMessage(code, message, lineAt(text, at)), at);
  }
  return document.errors.length > 0 ? undefined : document;
}

function lineAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1).split("\n", 1)[0] ?? "";
}

// Counting first keeps memory flat: the parser holds every token of a document until its end.
function isBounded(text: string): boolean {
  if (text.length < maxTokens) return true;
  let tokens = 0;
  for (const _lexeme of new Lexer().lex(text)) if (++tokens > maxTokens) return false;
  return true;
}

/** What a parser says of its own state, as the person who types would. */
const plainWords: readonly (readonly [RegExp, string])[] = [
  [/^Nested mappings are not allowed/, "a text with `: ` in it needs quotes, and a mapping a line of its own"],
  [/^Implicit keys need to be on a single line/, "is no `key: value`; a `:` may be missing"],
  [/^Implicit map key needs to be followed/, "is no `key: value`; a `:` may be missing"],
  [/^All mapping items must start at the same column/, "begins in another column than the keys beside it"],
  [/^All sequence items must start at the same column/, "begins in another column than the items beside it"],
  [/^Flow map in block collection must|^Expected flow map to end/, "the mapping is not closed by `}`"],
  [/^Flow sequence in block collection must|^Expected flow sequence to end/, "the list is not closed by `]`"],
  [
    /^Unexpected (?:double|single)-quoted-scalar|^Block collections are not allowed within flow/,
    "a comma may be missing",
  ],
  [/^Missing , between flow/, "a comma may be missing"],
];

function plainMessage(code: string, message: string, line: string): string {
  if (code === "TAB_AS_INDENT") return "is indented with a tab; YAML allows spaces only";
  if (/[{[,:]\s*\$\{\{/.test(line) && /[{[]/.test(line.split("${{")[0] ?? ""))
    return 'a binding between `{ }` or `[ ]` needs quotes: "${{...}}"';
  const said = message.replace(/\s+at line \d+, column \d+:?[\s\S]*$/, "");
  return plainWords.find(([pattern]) => pattern.test(said))?.[1] ?? said;
}

/** What the lexer puts in beside the text: the begin of a document and of a scalar, the end of a flow. */
const lexerMarks = ["\u0002", "\u001f", "\u0018"];

/** Where the last quote stands that is opened and not closed. */
function openQuote(text: string): number | undefined {
  let offset = 0;
  let last: number | undefined;
  for (const lexeme of new Lexer().lex(text)) {
    if (/^["']/.test(lexeme) && (lexeme.length === 1 || !lexeme.endsWith(lexeme.slice(0, 1)))) last = offset;
    if (!lexerMarks.includes(lexeme)) offset += lexeme.length;
  }
  return last;
}
