// What a child prints, kept in a file that cannot grow without end, and its last lines for an error message.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { withoutSecrets } from "#shared/log.ts";

export interface ChildLog {
  /** Takes every line of the stream until it ends. */
  follow(stream: Readable): void;
  write(line: string): void;
  /** The last 20 lines. */
  tail(): readonly string[];
  close(): void;
}

const keptFiles = 3;
const tailLength = 20;

/** Opens `file` anew, moving what earlier starts wrote to `name.1.log`, `name.2.log`; does so again at `maxBytes`. */
export function openChildLog(file: string, maxBytes = 16 * 1024 * 1024): ChildLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const last: string[] = [];
  let descriptor: number | undefined = openFresh(file);
  let size = 0;

  function write(line: string): void {
    const clean = withoutSecrets(line);
    last.push(clean);
    if (last.length > tailLength) last.shift();
    if (descriptor === undefined) return;
    size += writeSync(descriptor, `${clean}\n`);
    if (size < maxBytes) return;
    closeSync(descriptor);
    descriptor = openFresh(file);
    size = 0;
  }

  return {
    write,
    follow: (stream) => void createInterface({ input: stream }).on("line", write),
    tail: () => last,
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function openFresh(file: string): number {
  const older = (age: number) => (age === 0 ? file : join(dirname(file), `${basename(file, ".log")}.${age}.log`));
  for (let age = keptFiles - 1; age > 0; age--) {
    if (existsSync(older(age - 1))) renameSync(older(age - 1), older(age));
  }
  return openSync(file, "w", 0o600);
}
