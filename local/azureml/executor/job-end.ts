// How a job's end is told: the same few codes and sentences for everything that can go wrong.
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { EnvironmentFailure } from "../environments/environments.ts";
import type { JobEnd } from "./contract.ts";
import { DataAccessError } from "./data-access.ts";
import { UnknownNameError } from "./expressions.ts";
import type { JobFolder } from "./job-folder.ts";

const tailBytes = 2048;
const tailLines = 20;

/**
 * End of a job whose processes are gone; a failure carries the log's last lines.
 * @param exitCode undefined when the machine took them all at once: what a program does wrong leaves its shell alive
 */
export async function toCommandEnd(exitCode: number | undefined, folder: JobFolder): Promise<JobEnd> {
  if (exitCode === 0) return { status: "Completed", exitCode: 0 };
  const log = await toLogWords(folder);
  if (exitCode === undefined) {
    const message = `The node was lost: all processes of the job were killed (signal 9) before they could say how it ended. ${log}`;
    return { status: "Failed", code: "NodeLost", message };
  }
  const how =
    exitCode === 137
      ? "was killed (signal 9; a machine out of memory does that)"
      : exitCode > 128 && exitCode < 160
        ? `was ended by signal ${exitCode - 128}`
        : `exited with status code ${exitCode}`;
  return { status: "Failed", exitCode, code: "UserError", message: `Execution failed. User process ${how}. ${log}` };
}

async function toLogWords(folder: JobFolder): Promise<string> {
  const tail = await readTail(folder.stdLog);
  return `Please check log file 'user_logs/std_log.txt' for error details.${tail === "" ? "" : `\n${tail}`}`;
}

/** End of a job that could not be prepared or committed. */
export function toFailure(error: unknown): JobEnd {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DataAccessError || error instanceof EnvironmentFailure || error instanceof UnknownNameError) {
    return { status: "Failed", code: error.code, message };
  }
  return { status: "Failed", code: "ServiceError", message: `The job could not be run on this machine: ${message}` };
}

export async function readEnd(folder: JobFolder): Promise<JobEnd | undefined> {
  const text = await readFile(folder.endRecord, "utf8").catch(() => undefined);
  // Written whole by `writeEnd`.
  return text === undefined ? undefined : (JSON.parse(text) as JobEnd);
}

export async function writeEnd(folder: JobFolder, end: JobEnd): Promise<void> {
  const draft = `${folder.endRecord}.draft`;
  await writeFile(draft, JSON.stringify(end));
  await rename(draft, folder.endRecord);
}

async function readTail(file: string): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return "";
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(tailBytes),
      position: Math.max(size - tailBytes, 0),
    });
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    if (size > tailBytes) lines.shift();
    return lines.slice(-tailLines).join("\n");
  } finally {
    await handle.close();
  }
}
