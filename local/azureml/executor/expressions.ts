// `${{inputs.x}}` and `${{outputs.x}}` of a command. Values are pasted as text, unquoted, as the service does: whoever
// wrote the command quotes what needs it.

const expression = /\$\{\{\s*(inputs|outputs)\.([A-Za-z_][\w.]*)\s*\}\}/g;

export interface CommandValues {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** The command names an input or output that the job does not have. */
export class UnknownNameError extends Error {
  readonly code = "UserError";
}

/**
 * The command with its expressions replaced in one pass: a pasted value is never read again.
 * @throws UnknownNameError naming the expression and the names there are.
 */
export function expandCommand(command: string, values: CommandValues): string {
  return command.replace(expression, (text, kind: "inputs" | "outputs", name: string) => {
    const value = Object.hasOwn(values[kind], name) ? values[kind][name] : undefined;
    if (value !== undefined) return value;
    const known = Object.keys(values[kind]).join(", ") || "none";
    throw new UnknownNameError(`The command uses \`${text}\`, but the job's ${kind} are: ${known}`);
  });
}
