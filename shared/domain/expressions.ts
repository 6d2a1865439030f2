// Azure ML's `${{ }}` expressions. A binding is always the whole value; `${ }` with one brace is none.

import { nearestName } from "./nearest-name.ts";

export type Binding =
  | { readonly kind: "pipelineInput"; readonly name: string }
  | { readonly kind: "nodeOutput"; readonly node: string; readonly output: string }
  | { readonly kind: "nodeInput"; readonly node: string; readonly input: string }
  | { readonly kind: "pipelineOutput"; readonly name: string }
  /** A node itself, as control flow names one. */
  | { readonly kind: "node"; readonly node: string }
  /** Looks like a binding of the surrounding pipeline, but is none. */
  | { readonly kind: "malformed"; readonly reason: string };

const wholePattern = /^\s*\$\{\{([^{}]*)\}\}\s*$/;
const parentPattern = /\$\{\{\s*parent\./;

/**
 * The binding that `value` is, or undefined when it is an ordinary value. The old spelling without `parent.` counts only
 * with `allowShort`, because in a command `${{inputs.x}}` is the node's own.
 */
export function parseBinding(value: unknown, { allowShort = false } = {}): Binding | undefined {
  if (typeof value !== "string" || !value.includes("${{")) return undefined;
  const body = wholePattern.exec(value)?.[1]?.trim();
  if (body === undefined) {
    return parentPattern.test(value)
      ? {
          kind: "malformed",
          reason: `a binding must be the whole value, not a part of \`${shorten(value)}\``,
        }
      : undefined;
  }
  const isParent = body.startsWith("parent.");
  if (!isParent && !allowShort) return undefined;
  const path = isParent ? body.slice("parent.".length) : body;
  const binding = readPath(path);
  if (binding !== undefined) return binding;
  const repaired = repairedPath(body);
  if (!isParent && !/^(?:inputs|outputs|jobs)\./.test(path) && repaired === undefined) return undefined;
  const forms =
    repaired === undefined
      ? "write ${{parent.inputs.<name>}}, ${{parent.jobs.<node>.outputs.<name>}} or ${{parent.outputs.<name>}}"
      : `did you mean \${{${repaired}}}?`;
  return { kind: "malformed", reason: `\`${value.trim()}\` is no binding; ${forms}` };
}

/** The binding that was meant by a text with a brace too few, or without `$`. */
export function meantBinding(value: unknown): string | undefined {
  if (typeof value !== "string" || !value.includes("parent.")) return undefined;
  const body = /^\s*(?:\$\{|\{\{)\s*(parent\.(?:inputs|outputs|jobs)\.[^{}\s]+)\s*\}{1,2}\s*$/.exec(value)?.[1];
  return body === undefined ? undefined : `\${{${body}}}`;
}

/** The path with its misspelt words mended; undefined when it is not a binding's even then. */
function repairedPath(path: string): string | undefined {
  const words = path.split(".");
  const mend = (index: number, among: readonly string[]) => {
    const word = words[index] ?? "";
    if (!among.includes(word)) words[index] = nearestName(word, among) ?? word;
  };
  mend(0, ["parent", "inputs", "outputs", "jobs"]);
  const side = words[0] === "parent" ? 1 : 0;
  if (side === 1) mend(1, ["inputs", "outputs", "jobs"]);
  if (words[side] === "jobs") mend(side + 2, ["inputs", "outputs"]);
  const mended = words.join(".");
  return mended !== path && readPath(words.slice(side).join(".")) !== undefined ? mended : undefined;
}

function readPath(path: string): Binding | undefined {
  const [, inputs, name] = /^(inputs|outputs)\.([^\s]+)$/.exec(path) ?? [];
  if (name !== undefined) return { kind: inputs === "inputs" ? "pipelineInput" : "pipelineOutput", name };
  const [, alone] = /^jobs\.([^.\s]+)$/.exec(path) ?? [];
  if (alone !== undefined) return { kind: "node", node: alone };
  const [, node, side, port] = /^jobs\.([^.\s]+)\.(inputs|outputs)\.([^\s]+)$/.exec(path) ?? [];
  if (node === undefined || port === undefined) return undefined;
  return side === "outputs" ? { kind: "nodeOutput", node, output: port } : { kind: "nodeInput", node, input: port };
}

export interface CommandExpression {
  readonly scope: "inputs" | "outputs" | "search_space";
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const commandPattern = /\$\{\{\s*(inputs|outputs|search_space)\.([A-Za-z0-9_.-]+)\s*\}\}/g;

/** Every `${{inputs.x}}`, `${{outputs.x}}` and `${{search_space.x}}` in a command, in order. */
export function commandExpressions(text: string): CommandExpression[] {
  return [...text.matchAll(commandPattern)].map((match) => ({
    // The pattern has exactly these two groups.
    scope: match[1] as CommandExpression["scope"],
    name: match[2] as string,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

const optionalPattern = /\$\[\[([\s\S]*?)\]\]/g;

/** Keeps each `$[[ text ]]` as `text` when every input it names has a value, and drops it otherwise. */
export function resolveOptionalParts(command: string, hasValue: (input: string) => boolean): string {
  return command.replaceAll(optionalPattern, (_, body: string) =>
    commandExpressions(body).every(({ scope, name }) => scope !== "inputs" || hasValue(name)) ? body : "",
  );
}

/** `change` of each stretch of the text between and inside its `$[[ ]]` parts, which stay where they are. */
export function mapOptionalParts(text: string, change: (part: string) => string): string[] {
  // Every second part is what the pattern's group has caught.
  return text.split(optionalPattern).map((part, index) => (index % 2 === 0 ? change(part) : `$[[${change(part)}]]`));
}

/** The command without its `$[[ ]]` parts: what is named here must always have a value. */
export function withoutOptionalParts(command: string): string {
  return command.replaceAll(optionalPattern, "");
}

/** Whether a text in `value`, however deep, has an expression in it. */
export function hasExpression(value: unknown): boolean {
  if (typeof value === "string") return value.includes("${{");
  return typeof value === "object" && value !== null && Object.values(value).some(hasExpression);
}

/** Every text in `value`, however deep, that has an expression in it. */
export function expressionsIn(value: unknown, found: string[] = []): string[] {
  if (typeof value === "string") {
    if (value.includes("${{")) found.push(value);
  } else if (typeof value === "object" && value !== null)
    for (const item of Object.values(value)) expressionsIn(item, found);
  return found;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
