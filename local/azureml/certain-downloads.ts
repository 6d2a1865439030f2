// What a job fetches from the web whatever it is given: addresses written into its command, or into the script that the command
// runs, where no branch leads around them.

export interface CertainDownload {
  readonly url: string;
  /** `the command`, or file and line. */
  readonly place: string;
}

const address = /https?:\/\/[^\s"'`;|&)$]+/;
/** The first word of a simple command. */
const fetching = /^(?:wget|curl)\s/;
const script = /^(?:\S*\/)?python[\d.]*\s+(?:-[a-zA-Z]\s+)*([\w./-]+\.py)(?=\s|$)/;
/** A call at the left margin: what stands deeper is in a function or a branch. */
const call =
  /^(?:[\w, ]+=\s*)?(?:[\w.]+\.)?(?:urlretrieve|urlopen|requests\.get|wget\.download)\(\s*[rbf]*["'](https?:\/\/[^"'{]+)["']/gm;

/** Addresses that the command itself fetches, and without which it does not go on. */
export function downloadsOfCommand(command: string): CertainDownload[] {
  return simpleCommands(command).flatMap(({ text, isNeeded }) => {
    const url = isNeeded && fetching.test(text) ? address.exec(text)?.[0] : undefined;
    return url === undefined ? [] : [{ url, place: "the command" }];
  });
}

/** Python files that the command runs, as paths in its code folder. */
export function scriptsOfCommand(command: string): string[] {
  return simpleCommands(command).flatMap(({ text }) => script.exec(text)?.[1]?.replace(/^\.\//, "") ?? []);
}

/** Addresses that a Python file fetches at its top level. */
export function downloadsOfScript(file: string, text: string): CertainDownload[] {
  const plain = text.replaceAll("\r\n", "\n");
  return [...plain.matchAll(call)].map(({ 1: url = "", index }) => ({
    url,
    place: `${file} line ${plain.slice(0, index).split("\n").length}`,
  }));
}

/** Those that run one after the other; needed is one whose failure ends the command. */
function simpleCommands(command: string): { text: string; isNeeded: boolean }[] {
  if (/\b(?:if|for|while|until|case)\b|\|\|/.test(command)) return [];
  const parts = command.split(/(\n|;|&&)/);
  return parts.flatMap((part, index) => {
    const text = part.trim().replace(/^\(\s*/, "");
    if (index % 2 === 1 || text === "") return [];
    return [{ text, isNeeded: parts[index + 1] === "&&" || /\bset -\w*e/.test(command) }];
  });
}
