import type { CliEnvironment } from "./environment.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given. */
export interface CliContext {
  readonly environment: CliEnvironment;
  readonly terminal: Terminal;
  /** Has something done before the process ends, whatever became of the command. */
  readonly atEnd: (finish: () => Promise<void>) => void;
}
