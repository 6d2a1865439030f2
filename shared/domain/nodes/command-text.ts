// A command is checked where it is planned: what it names is there, and no value becomes script.
import { isMlpipeError } from "../../errors.ts";
import { commandExpressions, withoutOptionalParts } from "../expressions.ts";
import type { Field, IssueList } from "../issue-list.ts";
import { type InputKinds, prepareCommand } from "../job-command.ts";
import { pythonText } from "../python-text.ts";
import { isLiteral } from "../shape.ts";
import type { Value } from "../value.ts";

/** What is wrong with a command whatever the values; `fill` is there when nothing is. */
interface Reading {
  readonly problems: readonly { readonly message: string; readonly nearest?: { name: string; among: string[] } }[];
  readonly fill?: (literals: ReadonlyMap<string, string>) => unknown;
}

/** By compilation, which has one list: a thousand nodes of one component have one command. */
const readings = new WeakMap<IssueList, Map<string, Reading>>();

/** The command at `field`, with everything that is wrong with it told. */
export function readCommand(
  value: unknown,
  field: Field,
  inputs: ReadonlyMap<string, Value | undefined>,
  outputs: ReadonlySet<string>,
  hasComponent: boolean,
  list: IssueList,
): string {
  if (!isLiteral(value) || pythonText(value).trim() === "") {
    list.error(field, hasComponent ? "the component has no `command`" : "has neither a `command` nor a `component`");
    return "";
  }
  const script = pythonText(value);
  const kinds: Record<string, InputKinds[string]> = {};
  const literals = new Map<string, string>();
  /** Inputs that have a value in some rounds of a loop and none in others. */
  const sometimes: string[] = [];
  for (const [name, input] of inputs) {
    if (input?.kind === "output" && input.mayBeAbsent === true) sometimes.push(name);
    kinds[name] = input === undefined ? undefined : input.kind === "literal" ? "literal" : "data";
    if (input?.kind === "literal") literals.set(name, pythonText(input.literal));
  }
  const known = readings.get(list) ?? new Map<string, Reading>();
  readings.set(list, known);
  const shapes = Object.entries(kinds).map(([name, kind = "nothing"]) => `${name} ${kind}`);
  const key = [...shapes, "outputs", ...outputs, "sometimes", ...sometimes, script].join("\n");
  const reading = known.get(key) ?? readScript(script, kinds, outputs, sometimes);
  known.set(key, reading);
  for (const { message, nearest } of reading.problems)
    list.error(field, message, nearest === undefined ? {} : { nearest });
  try {
    reading.fill?.(literals);
  } catch (error) {
    list.error(field, messageOf(error));
  }
  return script;
}

function readScript(
  script: string,
  kinds: InputKinds,
  outputs: ReadonlySet<string>,
  sometimes: readonly string[],
): Reading {
  const always = commandExpressions(withoutOptionalParts(script)).filter(({ scope }) => scope === "inputs");
  const required = new Set(always.map(({ name }) => name));
  const hasValue = (name: string) => kinds[name] !== undefined && !sometimes.includes(name);
  const problems = commandExpressions(script).flatMap(({ scope, name }): Reading["problems"] => {
    if (scope === "search_space")
      return [{ message: `\`\${{search_space.${name}}}\` belongs to the trial of a sweep` }];
    const known = scope === "inputs" ? Object.keys(kinds) : [...outputs];
    if (!known.includes(name)) {
      const message = `\`\${{${scope}.${name}}}\`: there is no ${scope.slice(0, -1)} \`${name}\``;
      return [{ message, nearest: { name, among: known } }];
    }
    if (scope === "outputs" || hasValue(name) || !required.has(name)) return [];
    return [{ message: `the optional input \`${name}\` has no value; put what needs it between \`$[[\` and \`]]\`` }];
  });
  if (problems.length > 0) return { problems };
  try {
    return { problems, fill: prepareCommand(script, kinds) };
  } catch (error) {
    return { problems: [{ message: messageOf(error) }] };
  }
}

function messageOf(error: unknown): string {
  if (!isMlpipeError(error)) throw error;
  return error.message;
}
