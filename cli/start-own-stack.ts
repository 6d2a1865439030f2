// A stack that lives in this process. Its code is loaded here and nowhere else: most commands never need it.
import type { Stack } from "#local/stack.ts";
import { MlpipeError, isMlpipeError } from "#shared/errors.ts";
import type { Terminal } from "./terminal.ts";

export interface OwnStack extends Pick<Stack, "url" | "key" | "home" | "stop"> {
  /** Rejects when a part has to be given up. Nobody need listen. */
  readonly broken: Promise<never>;
}

/** @throws MlpipeError `Conflict` when another process holds the folder, `Unavailable` with the reason when a part does not start. */
export async function startOwnStack(terminal: Terminal, home: string, { isQuiet = false } = {}): Promise<OwnStack> {
  const { startStack } = await import("#local/stack.ts");
  const { dim } = terminal.colorsFor(terminal.stderr);
  // Why a part fails is for the reader, the place in our code is not.
  const fail = (error: unknown): never => {
    if (isMlpipeError(error) || !(error instanceof Error)) throw error;
    throw new MlpipeError("Unavailable", `the stack fails: ${error.message} (logs in ${home}/logs)`, { cause: error });
  };
  const onProgress = (text: string) => (isQuiet ? undefined : terminal.err(dim(text)));
  const stack = await startStack({ home, onProgress }).catch(fail);
  const broken = stack.failed.then(fail);
  broken.catch(() => {});
  return { url: stack.url, key: stack.key, home: stack.home, stop: () => stack.stop(), broken };
}
