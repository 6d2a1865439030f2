// Which app a command talks to: the one that was named, else the stack that runs on this machine, else one that is started for
// the command and stopped with it.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MlpipeError, isMlpipeError } from "#shared/errors.ts";
import { type Client, createClient } from "./client.ts";
import type { CliContext } from "./context.ts";
import { type ServerFlags, defaultHome } from "./flags.ts";
import { createHint } from "./hint.ts";
import { type Interrupts, listenForInterrupts } from "./interrupts.ts";
import { exitCodes } from "./report-error.ts";
import { startOwnStack } from "./start-own-stack.ts";

export interface Connection {
  readonly client: Client;
  /** Whether the server was started for a run that this command follows, and goes away with it. */
  readonly isOwn: boolean;
  /** Rejects when an own server dies under us; others leave it open. */
  readonly broken: Promise<never>;
  readonly stop: () => Promise<void>;
}

/**
 * For a command that asks or tells and is done: where no server runs, the home folder's stack is started for as long as the command
 * lasts.
 *
 * @param mayBegin whether the command makes sense on a folder that nothing has run on yet
 * @throws MlpipeError `Unavailable` when no server was named and there is no such folder
 */
export async function connect(context: CliContext, flags: ServerFlags, { mayBegin = false } = {}): Promise<Connection> {
  const found = await findServer(context, flags);
  if (found !== undefined) return found;
  const hint = createHint(context, flags);
  if (!mayBegin && !(await isFolder(homeOf(flags)))) {
    throw new MlpipeError(
      "Unavailable",
      `nothing has run on ${homeOf(flags)}: begin with \`${hint("run <pipeline.yml> --watch")}\`, or name a server with --server and MLPIPE_KEY`,
    );
  }
  const interrupts = listenForInterrupts();
  const connection = await connectOrStart(context, flags, interrupts, { isQuiet: true });
  if (connection === undefined) throw new MlpipeError("Unavailable", "interrupted before the stack was up");
  if (!connection.isOwn) return connection;
  const { stop } = connection;
  void interrupts.first.then(async () => {
    await stop();
    process.exit(exitCodes.interrupted);
  });
  context.atEnd(async () => {
    await stop();
    const { terminal } = context;
    const said = `The stack was up for this command only: ${hint("dev")} keeps it up.`;
    terminal.err(terminal.colorsFor(terminal.stderr).dim(said));
  });
  return { ...connection, isOwn: false };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** As `connect`, but starts a stack on the home folder when there is none. `undefined` when interrupted meanwhile. */
export async function connectOrStart(
  context: CliContext,
  flags: ServerFlags,
  interrupts: Interrupts,
  { isQuiet = false } = {},
): Promise<Connection | undefined> {
  const found = await findServer(context, flags);
  if (found !== undefined) return found;
  try {
    const { url, key, broken, stop } = await startOwnStack(context.terminal, homeOf(flags), { isQuiet });
    if (interrupts.count() === 0) return { client: createClient({ url, key }), isOwn: true, broken, stop };
    await stop();
    return undefined;
  } catch (error) {
    if (isMlpipeError(error) && error.code === "Conflict") return join(context, flags, error);
    throw error;
  }
}

const joinSeconds = 20;

/** The folder is taken but nothing serves there yet: another command is just starting its stack. */
async function join(context: CliContext, flags: ServerFlags, taken: Error): Promise<Connection> {
  for (let waited = 0; waited < joinSeconds; waited += 0.5) {
    await sleep(500);
    const found = await findServer(context, flags);
    if (found !== undefined) return found;
  }
  throw taken;
}

export function homeOf(flags: ServerFlags): string {
  return resolve(flags.home ?? defaultHome);
}

/** A `--home` that was typed wins over a server that the environment names. */
async function findServer({ environment }: CliContext, flags: ServerFlags): Promise<Connection | undefined> {
  const url = flags.server ?? (flags.home === undefined ? environment.serverUrl : undefined);
  if (url !== undefined) return remote(checkUrl(url), environment.serverKey);
  const { findStack } = await import("#local/stack.ts");
  const stack = await findStack(homeOf(flags));
  return stack === undefined ? undefined : remote(stack.url, stack.key);
}

function remote(url: string, key: string | undefined): Connection {
  return { client: createClient({ url, key }), isOwn: false, broken: new Promise(() => {}), stop: async () => {} };
}

function checkUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new MlpipeError(
    "InvalidRequest",
    `the server's address must be a URL such as https://my-app.azurewebsites.net, not \`${text}\``,
  );
}
