import type { CliContext } from "./context.ts";
import type { ServerFlags } from "./flags.ts";

/** Makes of `status x` the command that the reader can type to reach the same server: `npx mlpipe status x --home y`. */
export type Hint = (words: string) => string;

export function createHint({ environment }: CliContext, { home, server }: ServerFlags): Hint {
  const flag = server !== undefined ? ` --server ${quote(server)}` : home !== undefined ? ` --home ${quote(home)}` : "";
  return (words) => `${environment.programName} ${words}${flag}`;
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
