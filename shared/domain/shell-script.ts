// A small lexer of bash that knows one thing: how text is quoted at a given place. It puts a variable where a script had
// an expression, so that the variable's content is one word there and never script. Whatever it misreads, the content
// stays inside an expansion, which bash does not parse again; the few places where bash does (arithmetic, `eval`,
// `bash -c`) are reported, so that the caller can insist on harmless content.
import { MlpipeError } from "../errors.ts";

export type Quoting = "unquoted" | "double" | "single" | "ansi" | "heredoc" | "comment";

export interface ShellVisitor {
  /** The expression that starts at `index`; `name` is undefined for one that has to stay as it is. */
  expressionAt(text: string, index: number): { readonly name: string | undefined; readonly length: number } | undefined;
  /** What to write in the expression's place. */
  write(name: string, quoting: Quoting): string;
  /** The content is evaluated again there: as a number, or as script by the program named in `where`. */
  demand(name: string, content: "number" | "inert", where: string): void;
}

const wordsBeforeCommand = new Set("then do else elif if while until ! { } time coproc command builtin".split(" "));
const blanks = " \t\r";
const separators = `${blanks}\n;&|<>()`;
const assignmentPattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=/;
const arithmeticTests = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v", "-R"]);
/** Builtins that evaluate their arguments, and the programs that take a script as the argument after a flag. */
const evaluators = new Map<string, "number" | "inert">([
  ["eval", "inert"],
  ["trap", "inert"],
  ["unset", "inert"],
  ["let", "number"],
]);
const interpreters: readonly { readonly program: RegExp; readonly flag: RegExp }[] = [
  { program: /(?:^|\/)(?:ba|da|z|k|a)?sh$/, flag: /^-[a-z]*c$/ },
  { program: /(?:^|\/)python[0-9.]*$/, flag: /^-[A-Za-z]*c$/ },
  { program: /(?:^|\/)(?:perl|ruby|node|Rscript|php|lua)$/, flag: /^(?:-[A-Za-z]*[eEpr]|--eval|--print)$/ },
  { program: /^(?:test|\[)$/, flag: /^-[vR]$/ },
];
/** Flags of those programs with a value of their own. */
const valuedFlags = /^(?:-[WXoO]|\+O)$/;

/**
 * `script` with every named expression replaced by what `visitor` writes for the quoting at its place. Quoted
 * here-documents and backquotes that hold one are rewritten to an equal form in which a variable can stand.
 *
 * @throws MlpipeError `InvalidRequest` when a quote or parenthesis is never closed.
 */
export function rewriteScript(script: string, visitor: ShellVisitor): string {
  return createLexer(script, visitor).script();
}

interface Heredoc {
  readonly delimiter: string;
  readonly isQuoted: boolean;
  readonly stripsTabs: boolean;
  /** Where the delimiter stands in the output. */
  readonly slot: number;
}

/** What is known of the simple command that is being read. */
interface SimpleCommand {
  /** The next word is the command's name (or a keyword). */
  expectsName: boolean;
  evaluates: "number" | "inert" | undefined;
  name: string;
  /** Set while the words after an interpreter's name are still its own flags. */
  scriptFlag: RegExp | undefined;
  next: "word" | "script" | "flagValue";
}

const freshCommand = (): SimpleCommand => ({
  expectsName: true,
  evaluates: undefined,
  name: "",
  scriptFlag: undefined,
  next: "word",
});

function createLexer(text: string, visitor: ShellVisitor) {
  const out: string[] = [];
  let at = 0;
  let heredocs: Heredoc[] = [];
  let demanded: { content: "number" | "inert"; where: string } | undefined;

  const peek = (token: string) => text.startsWith(token, at);
  const take = (length: number) => {
    out.push(text.slice(at, at + length));
    at += length;
  };

  function unclosed(what: string, from: number): never {
    const line = text.slice(0, from).split("\n").length;
    throw new MlpipeError("InvalidRequest", `line ${line} of the command opens ${what} that is never closed`);
  }

  /** Handles an expression at the present place; false when there is none. */
  function expression(quoting: Quoting): boolean {
    const found = visitor.expressionAt(text, at);
    if (found === undefined) return false;
    if (found.name === undefined) {
      take(found.length);
      return true;
    }
    if (demanded !== undefined) visitor.demand(found.name, demanded.content, demanded.where);
    out.push(visitor.write(found.name, quoting));
    at += found.length;
    return true;
  }

  /** Reads a list of commands, up to and with `)` when it is inside parentheses. */
  function list(opened: { at: number; what: string; isArray?: boolean } | undefined): void {
    let command = freshCommand();
    let openCases = 0;
    if (opened?.isArray === true) command.expectsName = false;
    while (at < text.length) {
      const character = text[at] ?? "";
      if (blanks.includes(character)) take(1);
      else if (peek("\\\n")) take(2);
      else if (character === "\n") {
        take(1);
        readHeredocs();
        if (opened?.isArray !== true) command = freshCommand();
      } else if (character === "#") comment();
      else if (";&|".includes(character)) {
        take(1);
        command = freshCommand();
      } else if (character === ")") {
        take(1);
        if (opened !== undefined && openCases === 0) return;
        command = freshCommand();
      } else if (character === "(") {
        if (peek("((") && (command.expectsName || command.name === "for") && isArithmetic(at + 2))
          arithmetic("((", "))");
        else parenthesis(command);
        command.expectsName = true;
      } else if (character === "<" || character === ">") redirection();
      else {
        const word = readWord(command);
        if (command.expectsName && word === "case") openCases += 1;
        if (command.expectsName && word === "esac") openCases -= 1;
        if (command.expectsName && word === "[[") conditional();
        noteWord(command, word);
      }
    }
    if (opened !== undefined) unclosed(opened.what, opened.at);
  }

  function parenthesis(command: SimpleCommand): void {
    const isArray = !command.expectsName || text[at - 1] === "=";
    const from = at;
    take(1);
    list({ at: from, what: "a parenthesis", isArray });
  }

  function noteWord(command: SimpleCommand, word: string): void {
    noteFlag(command, word);
    // `case word in` ends where the first pattern begins, which stands where a command's name would.
    if (command.name === "case" && word === "in") Object.assign(command, freshCommand());
    else if (command.expectsName && !wordsBeforeCommand.has(word) && !assignmentPattern.test(word)) {
      command.expectsName = false;
      command.name = word;
      command.evaluates = evaluators.get(word);
    }
  }

  function noteFlag(command: SimpleCommand, word: string): void {
    const interpreter = interpreters.find(({ program }) => program.test(word));
    const wasValue = command.next === "flagValue";
    command.next = "word";
    if (command.scriptFlag?.test(word) === true) command.next = "script";
    else if (valuedFlags.test(word)) command.next = "flagValue";
    else if (!wasValue && !/^[-+]/.test(word)) command.scriptFlag = interpreter?.flag;
  }

  /** Reads one word and returns it as written. */
  function readWord(command: SimpleCommand): string {
    const outer = demanded;
    if (command.next === "script") demanded = { content: "inert", where: `an argument that ${command.name} evaluates` };
    else if (command.evaluates !== undefined)
      demanded = { content: command.evaluates, where: `\`${command.name}\`, which evaluates it` };
    const from = at;
    while (at < text.length && !separators.includes(text[at] ?? "")) unquoted();
    demanded = outer;
    return text.slice(from, at);
  }

  function unquoted(): void {
    if (expression("unquoted")) return;
    const character = text[at];
    if (character === "\\") escape("unquoted");
    else if (character === "'") single("'", "single");
    else if (character === '"') double();
    else if (character === "$") dollar("unquoted");
    else if (character === "`") backquote("unquoted");
    else take(1);
  }

  function escape(quoting: Quoting): void {
    if (visitor.expressionAt(text, at + 1)?.name === undefined) return take(2);
    // The backslash would have escaped the content's first character: outside quotes that is the character itself.
    if (quoting !== "unquoted") out.push("\\\\");
    at += 1;
  }

  function comment(): void {
    while (at < text.length && text[at] !== "\n") if (!expression("comment")) take(1);
  }

  function single(open: string, quoting: "single" | "ansi"): void {
    const from = at;
    take(open.length);
    while (at < text.length) {
      if (expression(quoting)) continue;
      if (text[at] === "'") return take(1);
      take(quoting === "ansi" && text[at] === "\\" ? 2 : 1);
    }
    unclosed("a single quote", from);
  }

  function double(): void {
    const from = at;
    take(1);
    while (at < text.length) {
      if (text[at] === '"') return take(1);
      insideDouble("double");
    }
    unclosed("a double quote", from);
  }

  function insideDouble(quoting: "double" | "heredoc"): void {
    if (expression(quoting)) return;
    if (text[at] === "\\") escape(quoting);
    else if (text[at] === "$") dollar(quoting);
    else if (text[at] === "`") backquote(quoting);
    else take(1);
  }

  function dollar(quoting: "unquoted" | "double" | "heredoc"): void {
    const from = at;
    if (peek("$((") && isArithmetic(at + 3)) return arithmetic("$((", "))");
    if (peek("$(")) {
      take(2);
      return fresh(() => list({ at: from, what: "`$(`" }));
    }
    if (peek("${")) return parameter(quoting);
    if (peek("$[")) return arithmetic("$[", "]");
    if (quoting === "unquoted" && peek("$'")) return single("$'", "ansi");
    if (quoting === "unquoted" && peek('$"')) {
      take(1);
      return double();
    }
    // A dollar sign before an expression would join with the variable that comes there.
    if (visitor.expressionAt(text, at + 1)?.name !== undefined) {
      out.push("\\$");
      at += 1;
      return;
    }
    take(1);
    if (/[#$?!@*\-0-9]/.test(text[at] ?? "")) take(1);
  }

  /** What a substitution runs is a script of its own: what its surroundings evaluate is its output. */
  function fresh(read: () => void): void {
    const outer = demanded;
    demanded = undefined;
    read();
    demanded = outer;
  }

  function parameter(quoting: "unquoted" | "double" | "heredoc"): void {
    const from = at;
    take(2);
    take(/^[!#]?(?:[A-Za-z0-9_]+|[@*#?$!-])?/.exec(text.slice(at, at + 300))?.[0].length ?? 0);
    if (text[at] === "[") arithmetic("[", "]");
    const operator = /^(?::[-=?+]|[-=?+])/.exec(text.slice(at, at + 2))?.[0];
    if (operator === undefined && text[at] === ":") return arithmetic(":", "}");
    if (operator !== undefined) take(operator.length);
    // A default value follows the quoting around it; a pattern is always read as if it stood alone.
    const isWord = operator !== undefined && quoting !== "unquoted";
    while (at < text.length) {
      if (text[at] === "}") return take(1);
      if (text[at] === '"') double();
      else if (isWord) insideDouble(quoting === "heredoc" ? "heredoc" : "double");
      else unquoted();
    }
    unclosed("`${`", from);
  }

  function arithmetic(open: string, close: string): void {
    const from = at;
    const outer = demanded;
    demanded = { content: "number", where: "shell arithmetic" };
    take(open.length);
    const last = close.slice(-1);
    const first = last === ")" ? "(" : last === "]" ? "[" : "{";
    let depth = open === "((" || open === "$((" ? 2 : 1;
    while (at < text.length) {
      if (expression("double")) continue;
      const character = text[at] ?? "";
      if (character === "$") dollar("double");
      else if (character === "`") backquote("double");
      else if (character === "\\") take(2);
      else {
        take(1);
        if (character === first) depth += 1;
        if (character === last && --depth === 0) {
          demanded = outer;
          return;
        }
      }
    }
    unclosed(`\`${open}\``, from);
  }

  /** Whether what follows `((` ends in `))`: otherwise it is a parenthesis within a parenthesis. */
  function isArithmetic(start: number): boolean {
    let depth = 2;
    for (let index = start; index < text.length; index++) {
      if (text[index] === "(") depth += 1;
      if (text[index] === ")" && --depth === 1) return text[index + 1] === ")";
    }
    return false;
  }

  /** `[[ ... ]]`: with an arithmetic operator in it both sides are evaluated. */
  function conditional(): void {
    const from = at;
    let isArithmeticTest = false;
    const command = { ...freshCommand(), expectsName: false };
    while (at < text.length) {
      const character = text[at] ?? "";
      if (separators.includes(character)) take(1);
      else {
        const word = readWord(command);
        if (arithmeticTests.has(word)) isArithmeticTest = true;
        if (word === "]]") {
          if (isArithmeticTest)
            for (const name of namesIn(text.slice(from, at)))
              visitor.demand(name, "number", "a test that evaluates it");
          return;
        }
      }
    }
    unclosed("`[[`", from);
  }

  function backquote(quoting: "unquoted" | "double" | "heredoc"): void {
    const from = at;
    let end = at + 1;
    while (end < text.length && text[end] !== "`") end += text[end] === "\\" ? 2 : 1;
    if (end >= text.length) unclosed("a backquote", from);
    const written = text.slice(at + 1, end);
    if (namesIn(written).length === 0) return take(end + 1 - at);
    const script = written.replaceAll(quoting === "double" ? /\\([$`\\"])/g : /\\([$`\\])/g, "$1");
    // The same as `$( )`, where no backslash has to be counted; the line break ends a comment that would hide the parenthesis.
    out.push("$(", createLexer(script, visitor).script(), "\n)");
    at = end + 1;
  }

  function namesIn(part: string): string[] {
    const names: string[] = [];
    for (let index = part.indexOf("$"); index >= 0; index = part.indexOf("$", index + 1)) {
      const name = visitor.expressionAt(part, index)?.name;
      if (name !== undefined) names.push(name);
    }
    return names;
  }

  function redirection(): void {
    if (peek("<<<")) return take(3);
    if (peek("<<")) return heredocOperator();
    if (peek("<(") || peek(">(")) {
      const from = at;
      take(2);
      return list({ at: from, what: "a process substitution" });
    }
    take(1);
    while (at < text.length && ">&|".includes(text[at] ?? "")) take(1);
    while (blanks.includes(text[at] ?? "x")) take(1);
    while (at < text.length && !separators.includes(text[at] ?? "")) unquoted();
  }

  function heredocOperator(): void {
    const stripsTabs = peek("<<-");
    take(stripsTabs ? 3 : 2);
    while (blanks.includes(text[at] ?? "x")) take(1);
    const written = /^(?:'[^'\n]*'|"(?:\\.|[^"\n])*"|\\.|[^\s;&|<>()'"\\])+/.exec(text.slice(at))?.[0] ?? "";
    const delimiter = written.replaceAll(/\\(.)|['"]/g, "$1");
    heredocs.push({ delimiter, isQuoted: delimiter !== written, stripsTabs, slot: out.length });
    out.push(written);
    at += written.length;
  }

  function readHeredocs(): void {
    const waiting = heredocs;
    heredocs = [];
    for (const heredoc of waiting) {
      const start = at;
      let bodyEnd = text.length;
      let next = text.length;
      for (let line = at; line < text.length;) {
        const newline = text.indexOf("\n", line);
        const lineEnd = newline < 0 ? text.length : newline;
        const content = text.slice(line, lineEnd);
        if ((heredoc.stripsTabs ? content.replace(/^\t+/, "") : content) === heredoc.delimiter) {
          [bodyEnd, next] = [line, lineEnd];
          break;
        }
        line = lineEnd + 1;
      }
      out.push(heredocBody(text.slice(start, bodyEnd), heredoc));
      out.push(text.slice(bodyEnd, next));
      at = next;
      if (text[at] === "\n") take(1);
    }
  }

  function heredocBody(body: string, { isQuoted, delimiter, slot }: Heredoc): string {
    if (!isQuoted) return createLexer(body, visitor).heredoc();
    if (namesIn(body).length === 0) return body;
    if (!/^[A-Za-z0-9_.+-]+$/.test(delimiter)) {
      throw new MlpipeError(
        "InvalidRequest",
        `an input cannot stand in the here-document that ends with \`${delimiter}\`; end it with a plain word`,
      );
    }
    // A quoted delimiter turns expansion off. Without the quotes, and with everything escaped that would expand, the
    // text stays the same and a variable can stand in it.
    out[slot] = delimiter;
    let escaped = "";
    for (let index = 0; index < body.length;) {
      const found = visitor.expressionAt(body, index);
      if (found !== undefined) {
        escaped +=
          found.name === undefined ? body.slice(index, index + found.length) : visitor.write(found.name, "heredoc");
        index += found.length;
        continue;
      }
      const character = body[index] ?? "";
      escaped += "\\$`".includes(character) ? `\\${character}` : character;
      index += 1;
    }
    return escaped;
  }

  return {
    script(): string {
      list(undefined);
      return out.join("");
    },
    heredoc(): string {
      while (at < text.length) insideDouble("heredoc");
      return out.join("");
    },
  };
}
