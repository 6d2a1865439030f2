// How a command that failed says so, and what it exits with.
import { CommanderError } from "commander";
import { type Issue, errorKinds, formatIssue, isMlpipeError } from "#shared/errors.ts";
import type { Terminal } from "./terminal.ts";

/** Exit codes that are not in the error table. */
export const exitCodes = { done: 0, runFailed: 1, interrupted: 130, brokenPipe: 141 } as const;

/** Prints every issue, each on its line, errors before warnings, and as they stand in the files. */
export function printIssues(terminal: Terminal, issues: readonly Issue[]): void {
  const colors = terminal.colorsFor(terminal.stderr);
  const inOrder = issues.toSorted(
    (a, b) =>
      (a.file ?? "").localeCompare(b.file ?? "") || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  const errors = inOrder.filter((issue) => issue.severity === "error");
  const warnings = inOrder.filter((issue) => issue.severity === "warning");
  for (const issue of errors) terminal.err(`${colors.red("error:")} ${formatIssue(issue)}`);
  for (const issue of warnings) terminal.err(`${colors.yellow("warning:")} ${formatIssue(issue)}`);
}

/** Says on standard error what went wrong. Returns the exit code. */
export function reportError(terminal: Terminal, error: unknown): number {
  // commander has already printed its own; `--help` and `--version` come this way too.
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.done : errorKinds.InvalidRequest.exitCode;

  const colors = terminal.colorsFor(terminal.stderr);
  if (!isMlpipeError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`${colors.red("mlpipe itself failed:")} ${text}`);
    return errorKinds.Internal.exitCode;
  }
  printIssues(terminal, error.issues);
  // The API's message repeats its first issue, which has just been printed.
  const isSaid = error.issues.some(({ message }) => error.message.includes(message));
  terminal.err(`${colors.red(`${error.code}:`)} ${isSaid ? errorKinds[error.code].title : error.message}`);
  if (error.code === "Unauthorized") terminal.err("The key belongs in MLPIPE_KEY.");
  if (error.retryAfterSeconds !== undefined) terminal.err(`Try again in ${error.retryAfterSeconds} s.`);
  return errorKinds[error.code].exitCode;
}
