// Azure ML hands `program_arguments` to a program without a shell in between, so what a shell would make of them must not happen.
import { mapOptionalParts } from "../expressions.ts";

const expression = /\$\{\{[^{}]*\}\}/y;
const plain = /^[A-Za-z0-9_.:/@%+,=-]+$/;

/**
 * The words of `text` for a shell's command line: quotes and backslashes mean what they mean to Python's `shlex`, everything else
 * is taken literally, and an expression stands for exactly what its value is, within its word. `$[[ ]]` parts stay.
 *
 * @returns undefined when a quote is not closed
 */
export function toShellWords(text: string): string | undefined {
  let isWhole = true;
  const words = mapOptionalParts(text, (part) => {
    const found = split(part);
    isWhole &&= found !== undefined;
    return (found ?? []).join(" ");
  });
  return isWhole ? words.join(" ").trim() : undefined;
}

function split(text: string): string[] | undefined {
  const words: string[] = [];
  /** Of the word in hand: what is written already, and the literal text that follows; undefined between words. */
  let word: { done: string; literal: string; isQuoted: boolean } | undefined;
  let quote = "";
  const open = () => (word ??= { done: "", literal: "", isQuoted: false });
  const close = () => {
    if (word !== undefined) words.push(word.done + quoted(word.literal) || (word.isQuoted ? "''" : ""));
    word = undefined;
  };
  for (let at = 0; at < text.length;) {
    const character = text[at] ?? "";
    expression.lastIndex = at;
    const found = expression.exec(text)?.[0];
    if (found !== undefined) {
      const { done, literal, isQuoted } = open();
      word = { done: `${done}${quoted(literal)}"${found}"`, literal: "", isQuoted };
      at += found.length;
      continue;
    }
    at += 1;
    if (quote === "" && /\s/.test(character)) close();
    else if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      open().isQuoted = true;
    } else if (character === quote) quote = "";
    else if (character === "\\" && quote !== "'" && (quote === "" || ['"', "\\"].includes(text[at] ?? ""))) {
      open().literal += text[at] ?? "";
      at += 1;
    } else open().literal += character;
  }
  close();
  return quote === "" ? words : undefined;
}

function quoted(text: string): string {
  return text === "" || plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
