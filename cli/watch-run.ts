// Shows a run until it ends or the reader leaves.
import type { RunDocument } from "#shared/domain/run.ts";
import type { Connection } from "./connect.ts";
import type { CliContext } from "./context.ts";
import { explainPreparing } from "./explain-preparing.ts";
import { followRun } from "./follow-run.ts";
import type { Hint } from "./hint.ts";
import type { Interrupts } from "./interrupts.ts";
import { isAsking } from "./views/promotion.ts";
import { createRunView } from "./views/run-view.ts";

export interface Watching {
  readonly connection: Connection;
  readonly runId: string;
  readonly interrupts: Interrupts;
  readonly hint: Hint;
  readonly stream: NodeJS.WriteStream;
}

/** How to answer a run that asks whether its model is approved. */
export function answerHint(runId: string, hint: Hint): string {
  return `To answer: ${hint(`approve ${runId}`)}   (or with --reject)`;
}

/** The document at the end, or undefined when the reader left before; what that means for the run has then been said. */
export async function watchRun(
  context: CliContext,
  { connection, runId, interrupts, hint, stream }: Watching,
): Promise<RunDocument | undefined> {
  const { terminal } = context;
  const view = createRunView(terminal, stream);
  const explain = explainPreparing((text) => view.tell(text));
  const leave = new AbortController();
  let wasAsking = false;

  void interrupts.first.then(() => {
    if (!connection.isOwn || interrupts.count() > 1) return leave.abort();
    view.tell("Ctrl-C again stops the stack and this run, which goes on at the next start.");
  });
  void interrupts.second.then(() => leave.abort());
  const following = followRun({
    client: connection.client,
    runId,
    signal: leave.signal,
    onProgress(progress) {
      view.show(progress);
      explain(progress);
      if (isAsking(progress.document)) view.tell(answerHint(runId, hint));
      else if (wasAsking) view.tell("");
      wasAsking = isAsking(progress.document);
    },
    onSilence: (reason) => view.tell(reason === undefined ? "" : `${reason}; trying again`),
  });
  try {
    return await Promise.race([following, connection.broken]);
  } catch (error) {
    if (!leave.signal.aborted) throw error;
    view.end();
    // The terminal has put its ^C where the cursor was.
    if (terminal.isLive(stream)) terminal.err();
    if (connection.isOwn) {
      terminal.err(`Stopping. Run ${runId} goes on when the stack starts again: ${hint("dev")}`);
    } else {
      terminal.err(`Run ${runId} goes on without us.`);
      terminal.err(`To look again: ${hint(`status ${runId} --watch`)}`);
      terminal.err(`To end it: ${hint(`cancel ${runId}`)}`);
    }
    return undefined;
  } finally {
    leave.abort();
    await following.catch(() => {});
    view.end();
  }
}
