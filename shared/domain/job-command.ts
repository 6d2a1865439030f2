export type JobInput =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "data" };

/** The command as submitted: `$[[ ]]` resolved, every literal a single safely quoted argument. */
export function jobCommand(
  command: string,
  inputs: Readonly<Record<string, JobInput | undefined>>,
): string {
  void inputs;
  throw new Error(`not built yet: ${command}`);
}
