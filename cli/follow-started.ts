// What `run` and `rerun` share: reach a server or start one, start a run there, and stay with it where that is wanted or needed.
import type { RunDocument } from "#shared/domain/run.ts";
import type { Client } from "./client.ts";
import { connectOrStart } from "./connect.ts";
import type { CliContext } from "./context.ts";
import { finishRun } from "./finish-run.ts";
import type { ServerFlags } from "./flags.ts";
import { createHint } from "./hint.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { watchRun } from "./watch-run.ts";

export interface StartFlags extends ServerFlags {
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** @param start starts the run @param describe its first line */
export async function followStarted(
  context: CliContext,
  options: StartFlags,
  start: (client: Client) => Promise<RunDocument>,
  describe: (run: RunDocument) => string,
): Promise<void> {
  const { terminal } = context;
  const isJson = options.json === true;
  const stream = isJson ? terminal.stderr : terminal.stdout;
  const hint = createHint(context, options);
  const interrupts = listenForInterrupts();
  const connection = await connectOrStart(context, options, interrupts);
  if (connection === undefined) return finishRun(context, undefined, { isJson, hint });
  try {
    const { client, isOwn } = connection;
    const run = await start(client);
    stream.write(`${describe(run)}\n`);
    if (options.watch === true || isOwn) {
      const document = await watchRun(context, { connection, runId: run.runId, interrupts, hint, stream });
      return finishRun(context, document, { isJson, hint });
    }
    stream.write(`To watch it: ${hint(`status ${run.runId} --watch`)}\n`);
    if (isJson) terminal.out(JSON.stringify(run));
  } finally {
    await connection.stop();
    interrupts.release();
  }
}
