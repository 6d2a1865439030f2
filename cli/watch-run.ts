// Shows a run until it ends or the reader leaves.
import type { RunDocument } from "#shared/domain/run.ts";
import type { Connection } from "./connect.ts";
import type { CliContext } from "./context.ts";
import { type RunProgress, followRun } from "./follow-run.ts";
import type { Interrupts } from "./interrupts.ts";
import { createRunView } from "./views/run-view.ts";

export interface Watching {
  readonly connection: Connection;
  readonly runId: string;
  readonly interrupts: Interrupts;
  readonly stream: NodeJS.WriteStream;
}

/** The document at the end, or undefined when the reader left before; what that means for the run has then been said. */
export async function watchRun(
  context: CliContext,
  { connection, runId, interrupts, stream }: Watching,
): Promise<RunDocument | undefined> {
  const { terminal, environment } = context;
  const view = createRunView(terminal, stream);
  const explainPreparing = createExplainer((text) => view.tell(text));
  const leave = new AbortController();
  const command = environment.programName;

  void interrupts.first.then(() => {
    if (!connection.isOwn || interrupts.count() > 1) return leave.abort();
    view.tell("Ctrl-C again stops the stack and this run, which goes on at the next start.");
  });
  void interrupts.second.then(() => leave.abort());
  const broken = connection.failed.then((error) => {
    throw error;
  });
  // It may break after the run has ended, when nobody listens any more.
  broken.catch(() => {});

  const following = followRun({
    client: connection.client,
    runId,
    signal: leave.signal,
    onProgress(progress) {
      view.show(progress);
      explainPreparing(progress);
    },
    onSilence: (reason) => view.tell(`${reason}; trying again`),
  });
  try {
    return await Promise.race([following, broken]);
  } catch (error) {
    if (!leave.signal.aborted) throw error;
    view.end();
    // The terminal has put its ^C where the cursor was.
    if (terminal.isLive(stream)) terminal.err();
    if (connection.isOwn) {
      terminal.err(`Stopping. Run ${runId} goes on when the stack starts again: ${command} dev`);
    } else {
      terminal.err(`Run ${runId} goes on without us.`);
      terminal.err(`To look again: ${command} status ${runId} --watch`);
      terminal.err(`To end it: ${command} cancel ${runId}`);
    }
    return undefined;
  } finally {
    leave.abort();
    await following.catch(() => {});
    view.end();
  }
}

const longMilliseconds = 5000;

/** A job that prepares for long builds its environment, and who waits for that should know that it is once only. */
function createExplainer(tell: (text: string) => void): (progress: RunProgress) => void {
  let since: number | undefined;
  let isTold = false;
  return ({ document }) => {
    const isPreparing = document.nodes.some(
      ({ status, jobStatus }) => status === "running" && jobStatus === "Preparing",
    );
    since = isPreparing ? (since ?? performance.now()) : undefined;
    const isLong = since !== undefined && performance.now() - since > longMilliseconds;
    if (isLong === isTold) return;
    isTold = isLong;
    tell(isLong ? "Building the Python environment: once, some minutes; later runs reuse it." : "");
  };
}
