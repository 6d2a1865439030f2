// Azure ML pastes a literal into the command as it is, so a value with a quote or `$(...)` in it becomes script. Here no
// literal is left to the service: the command begins with assignments of shell variables, and those stand where the
// literals stood. Places of data stay for the service, which alone knows them.
import { MlpipeError } from "../errors.ts";
import { whyNoArgument } from "./argument-text.ts";
import { commandExpressions, resolveOptionalParts } from "./expressions.ts";
import { type Quoting, rewriteScript } from "./shell-script.ts";

export type JobInput = { readonly kind: "literal"; readonly value: string } | { readonly kind: "data" };

const expressionPattern = /\$\{\{\s*([A-Za-z_]+)(?:\.([A-Za-z0-9_.-]+))?\s*\}\}/y;
const numberPattern = /^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
/** No character that a shell, or the language of a script in an argument, gives a meaning to. */
const inertPattern = /^[A-Za-z0-9_.:/@+,-]*$/;

/** Each input's kind; undefined for an optional one without a value. */
export type InputKinds = Readonly<Record<string, JobInput["kind"] | undefined>>;

/**
 * The command as submitted: each `$[[ ]]` part kept or dropped, and each `${{inputs.x}}` of a literal one argument that
 * holds exactly its value, however the author quoted the place. A value is refused where bash or another interpreter
 * would evaluate it (arithmetic, `eval`, `bash -c`, `python -c`), unless nothing in it can be evaluated.
 *
 * @param inputs every input of the node; undefined for an optional one without a value
 * @throws MlpipeError `InvalidRequest` naming the input and what to change
 */
export function jobCommand(command: string, inputs: Readonly<Record<string, JobInput | undefined>>): string {
  const given = Object.entries(inputs);
  const literals = given.flatMap(([name, input]) => (input?.kind === "literal" ? [[name, input.value] as const] : []));
  const kinds = Object.fromEntries(given.map(([name, input]) => [name, input?.kind]));
  return prepareCommand(command, kinds)(new Map(literals));
}

/**
 * All of `jobCommand` that does not depend on values: one reading of a command serves every node that runs it.
 *
 * @returns gives the command for the values of its literals, and throws as `jobCommand` does
 */
export function prepareCommand(command: string, kinds: InputKinds): (literals: ReadonlyMap<string, string>) => string {
  const kindOf = (name: string) => (Object.hasOwn(kinds, name) ? kinds[name] : undefined);
  const script = resolveOptionalParts(command, (name) => kindOf(name) !== undefined);
  const needsLiteral = (text: string) =>
    commandExpressions(text).some(
      ({ scope, name }) => scope === "inputs" && Object.hasOwn(kinds, name) && kinds[name] !== "data",
    );
  if (!needsLiteral(script)) return () => script;
  const variables = new Map<string, string>();
  const demands: { readonly name: string; readonly content: "number" | "inert"; readonly where: string }[] = [];

  function variableOf(name: string): string {
    const known = variables.get(name);
    if (known !== undefined) return known;
    const plain = `MLPIPE_INPUT_${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
    const taken = [...variables.values()];
    let variable = plain;
    for (let count = 2; taken.includes(variable); count++) variable = `${plain}_${count}`;
    variables.set(name, variable);
    return variable;
  }

  const rewritten = rewriteScript(script, {
    expressionAt(text, index) {
      if (text[index] !== "$" || text[index + 1] !== "{" || text[index + 2] !== "{") return undefined;
      expressionPattern.lastIndex = index;
      const match = expressionPattern.exec(text);
      if (match === null) return undefined;
      const [whole, scope, name] = match;
      if (scope !== "inputs" || name === undefined || !Object.hasOwn(kinds, name))
        return { name: undefined, length: whole.length };
      if (kinds[name] === undefined) {
        throw new MlpipeError(
          "InvalidRequest",
          `input \`${name}\` has no value; put what needs it between \`$[[\` and \`]]\` in the command`,
        );
      }
      return { name: kinds[name] === "literal" ? name : undefined, length: whole.length };
    },
    write: (name, quoting) => inQuoting(`\${${variableOf(name)}}`, quoting),
    demand: (name, content, where) => void demands.push({ name, content, where }),
  });
  if (needsLiteral(rewritten)) {
    throw new MlpipeError(
      "InvalidRequest",
      "an input stands in a place of the command whose quoting is not understood; give it a word of its own",
    );
  }

  return (literals) => {
    for (const { name, content, where } of demands) checkContent(name, literals.get(name) ?? "", content, where);
    const assignments = [...variables].map(
      ([name, variable]) => `${variable}=${quote(name, literals.get(name) ?? "")}\n`,
    );
    return `${assignments.join("")}${rewritten}`;
  };
}

function checkContent(name: string, value: string, content: "number" | "inert", where: string): void {
  const pattern = content === "number" ? numberPattern : inertPattern;
  if (pattern.test(value)) return;
  const wanted = content === "number" ? "a number" : "letters, digits and `_.:/@+,-` only";
  throw new MlpipeError(
    "InvalidRequest",
    `input \`${name}\` stands in ${where}, so its value must be ${wanted}; hand it over as an argument of its own instead`,
  );
}

function inQuoting(variable: string, quoting: Quoting): string {
  switch (quoting) {
    case "unquoted":
      return `"${variable}"`;
    case "single":
      return `'"${variable}"'`;
    case "ansi":
      return `'"${variable}"$'`;
    case "double":
    case "heredoc":
    case "comment":
      return variable;
  }
}

function quote(name: string, value: string): string {
  const reason = whyNoArgument(value);
  if (reason !== undefined) throw new MlpipeError("InvalidRequest", `input \`${name}\` ${reason}`);
  // Cut after `$`, so that the service finds no expression of its own in a value.
  return `'${value.replaceAll("'", String.raw`'\''`).replaceAll(/\$(?=[{[])/g, "$$''")}'`;
}
