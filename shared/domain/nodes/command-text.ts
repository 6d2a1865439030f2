// A command is checked where it is planned: what it names is there, and no value becomes script.
import { isMlpipeError } from "../../errors.ts";
import { commandExpressions, withoutOptionalParts } from "../expressions.ts";
import type { Field, IssueList } from "../issue-list.ts";
import { type JobInput, jobCommand } from "../job-command.ts";
import { pythonText } from "../python-text.ts";
import { isLiteral } from "../shape.ts";
import type { Value } from "../value.ts";

/** The command at `field`, with everything that is wrong with it told. */
export function readCommand(
  value: unknown,
  field: Field,
  inputs: ReadonlyMap<string, Value | undefined>,
  outputs: ReadonlySet<string>,
  list: IssueList,
): string {
  if (!isLiteral(value) || pythonText(value).trim() === "") {
    list.error(field, "has no `command`");
    return "";
  }
  const script = pythonText(value);
  const required = new Set(commandExpressions(withoutOptionalParts(script)).map(({ name }) => name));
  const problems = commandExpressions(script).flatMap(({ scope, name }) => {
    if (scope === "search_space")
      return [{ message: `\`\${{search_space.${name}}}\` belongs to the trial of a sweep`, extra: {} }];
    const known = scope === "inputs" ? inputs : outputs;
    if (!known.has(name)) {
      const message = `\`\${{${scope}.${name}}}\`: there is no ${scope.slice(0, -1)} \`${name}\``;
      return [{ message, extra: { nearest: { name, among: [...known.keys()] } } }];
    }
    if (scope === "outputs" || !required.has(name) || hasValue(inputs.get(name))) return [];
    return [
      {
        message: `the optional input \`${name}\` has no value; put what needs it between \`$[[\` and \`]]\``,
        extra: {},
      },
    ];
  });
  for (const { message, extra } of problems) list.error(field, message, extra);
  if (problems.length === 0) tellRefusedValues(script, inputs, field, list);
  return script;
}

function hasValue(value: Value | undefined): boolean {
  return value !== undefined && (value.kind !== "output" || value.mayBeAbsent !== true);
}

function tellRefusedValues(
  script: string,
  inputs: ReadonlyMap<string, Value | undefined>,
  field: Field,
  list: IssueList,
): void {
  const given: Record<string, JobInput | undefined> = {};
  for (const [name, value] of inputs) {
    if (value?.kind === "literal") given[name] = { kind: "literal", value: pythonText(value.literal) };
    else given[name] = value === undefined ? undefined : { kind: "data" };
  }
  try {
    jobCommand(script, given);
  } catch (error) {
    if (!isMlpipeError(error)) throw error;
    list.error(field, error.message);
  }
}
