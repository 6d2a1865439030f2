import type { RunDocument } from "#shared/domain/run.ts";
import type { CliContext } from "./context.ts";
import { exitCodes } from "./report-error.ts";
import { reportEnd } from "./views/report-end.ts";

/** Says how a run that was watched ended and sets the exit code. `document` is undefined when the reader left. */
export function finishRun(
  { terminal, environment }: CliContext,
  document: RunDocument | undefined,
  { isJson, isOwn }: { isJson: boolean; isOwn: boolean },
): void {
  if (document === undefined) {
    process.exitCode = exitCodes.interrupted;
    return;
  }
  const stream = isJson ? terminal.stderr : terminal.stdout;
  const options = { colors: terminal.colorsFor(stream), programName: environment.programName, isOwn };
  for (const line of reportEnd(document, options)) stream.write(`${line}\n`);
  if (isJson) terminal.out(JSON.stringify(document));
  process.exitCode = document.status === "completed" ? exitCodes.done : exitCodes.runFailed;
}
