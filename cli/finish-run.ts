import type { RunDocument } from "#shared/domain/run.ts";
import type { CliContext } from "./context.ts";
import type { Hint } from "./hint.ts";
import { exitCodes } from "./report-error.ts";
import { reportEnd } from "./views/report-end.ts";

export interface Finishing {
  readonly isJson: boolean;
  readonly hint: Hint;
}

/** Says how a run that was watched ended and sets the exit code. `document` is undefined when the reader left. */
export function finishRun({ terminal }: CliContext, document: RunDocument | undefined, options: Finishing): void {
  if (document === undefined) {
    process.exitCode = exitCodes.interrupted;
    return;
  }
  const { isJson, hint } = options;
  const stream = isJson ? terminal.stderr : terminal.stdout;
  const lines = reportEnd(document, { colors: terminal.colorsFor(stream), hint });
  for (const line of lines) stream.write(`${line}\n`);
  if (isJson) terminal.out(JSON.stringify(document));
  process.exitCode = document.status === "completed" ? exitCodes.done : exitCodes.runFailed;
}
