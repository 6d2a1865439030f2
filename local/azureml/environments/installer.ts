// Runs uv or pip and hands its output on, line by line, with credentials in index URLs blotted out.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { sendSignal } from "../executor/process-table.ts";

export interface InstallerRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

const keptLines = 30;

/**
 * Runs one installer command to its end.
 * @throws Error whose message is the command's last lines, when it fails or `signal` ends it.
 */
export async function runInstaller({ command, args, env, signal, onLine }: InstallerRun): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(command, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  // With the compilers it may have started.
  const kill = () => child.pid !== undefined && sendSignal(-child.pid, "SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const lastLines: string[] = [];
  const readers = [child.stdout, child.stderr].map((stream) =>
    createInterface({ input: stream }).on("line", (raw) => {
      const line = hideCredentials(raw.trimEnd());
      if (line === "") return;
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      onLine(line);
    }),
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  signal.removeEventListener("abort", kill);
  for (const reader of readers) reader.close();
  signal.throwIfAborted();
  if (code !== 0) throw new Error(lastLines.join("\n") || `${command} ended with code ${code ?? "none"}`);
}

/** `https://user:secret@host` -> `https://***@host`, and the same for query strings. */
function hideCredentials(text: string): string {
  return text.replace(/(\w+:\/\/)[^\s/@]+@/g, "$1***@").replace(/(\w+:\/\/[^\s?]+)\?\S+/g, "$1?***");
}
