// What a command prints on. Results go to `out`, everything about getting them to `err`.
import pc from "picocolors";
import type { CliEnvironment } from "./environment.ts";

export type Colors = ReturnType<typeof pc.createColors>;

export interface Terminal {
  /** A line of the result, on standard output. */
  out(line?: string): void;
  /** A line about the work, on standard error. */
  err(line?: string): void;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  colorsFor(stream: NodeJS.WriteStream): Colors;
  /** Whether a view may redraw itself on this stream. */
  isLive(stream: NodeJS.WriteStream): boolean;
  /** Text columns of this stream, undefined when it has no edge (a pipe, a file). */
  widthOf(stream: NodeJS.WriteStream): number | undefined;
}

export function createTerminal(
  environment: CliEnvironment,
  stdout = process.stdout,
  stderr = process.stderr,
): Terminal {
  // A stream that is no terminal has no `isTTY` at all, whatever its type says.
  const isLive = (stream: NodeJS.WriteStream) =>
    stream.isTTY === true && !environment.isCi && !environment.isDumbTerminal;
  return {
    out: (line = "") => void stdout.write(`${line}\n`),
    err: (line = "") => void stderr.write(`${line}\n`),
    stdout,
    stderr,
    colorsFor: (stream) => pc.createColors(environment.wantsColors ?? isLive(stream)),
    isLive,
    // Some pseudo-terminals say 0 columns until they are told a size.
    widthOf: (stream) => (stream.isTTY ? stream.columns || 80 : undefined),
  };
}
