// The one place where the command line reads environment variables.
import { z } from "zod";

const Environment = z.object({
  /** Base address of a deployed app or of a running stack, without `/api`. */
  MLPIPE_URL: z.string().optional(),
  /** A function key of that app. */
  MLPIPE_KEY: z.string().optional(),
  CI: z.string().optional(),
  NO_COLOR: z.string().optional(),
  FORCE_COLOR: z.string().optional(),
  TERM: z.string().optional(),
  /** Set by npm and npx. */
  npm_execpath: z.string().optional(),
});

export interface CliEnvironment {
  readonly serverUrl: string | undefined;
  readonly serverKey: string | undefined;
  readonly isCi: boolean;
  /** undefined: colours when the stream is a terminal. */
  readonly wantsColors: boolean | undefined;
  readonly isDumbTerminal: boolean;
  /** How the reader starts this program: what hints begin with. */
  readonly programName: string;
  /** All of them as they are, for the stack that this process starts. */
  readonly variables: NodeJS.ProcessEnv;
}

/** An empty variable counts as one that is not set (no-color.org says so, and shells make it easy to do). */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): CliEnvironment {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""));
  const env = Environment.parse(set);
  return {
    serverUrl: env.MLPIPE_URL,
    serverKey: env.MLPIPE_KEY,
    isCi: env.CI !== undefined && env.CI !== "false",
    wantsColors:
      env.NO_COLOR !== undefined ? false : env.FORCE_COLOR !== undefined ? env.FORCE_COLOR !== "0" : undefined,
    isDumbTerminal: env.TERM === "dumb",
    programName: env.npm_execpath === undefined ? "mlpipe" : "npx mlpipe",
    variables,
  };
}
