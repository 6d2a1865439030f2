// The record of what was uploaded and what became of it. One blob per entry, named so that a listing gives the newest first; the
// entry itself is the blob's metadata, so that a page of the record is one call.
import { z } from "zod";

export const LogEntry = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("upload"),
    /** ISO 8601: when the blob was committed. */
    time: z.string(),
    /** In the container. */
    path: z.string(),
    size: z.number(),
    etag: z.string(),
    api: z.string(),
    dataset: z.string().optional(),
    version: z.string().optional(),
    /** Relative to the version's folder. */
    file: z.string().optional(),
    /** What was clear at once; the rest is told by the version's arrivals. */
    verdict: z.enum(["taken", "duplicate", "ignored", "refused"]),
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal("arrival"),
    time: z.string(),
    dataset: z.string(),
    version: z.string(),
    number: z.number().int(),
    status: z.enum(["started", "refused", "overdue"]),
    files: z.number().int(),
    runId: z.string().optional(),
    reason: z.string().optional(),
  }),
  /** The scan found a version that no event had told of. */
  z.object({
    kind: z.literal("found"),
    time: z.string(),
    dataset: z.string(),
    version: z.string(),
    files: z.number().int(),
  }),
]);
export type LogEntry = z.infer<typeof LogEntry>;
export type UploadEntry = Extract<LogEntry, { kind: "upload" }>;

export const logFolder = "mlpipe/events/";
/** Name of the metadata that holds the entry. */
export const entryKey = "entry";

const dayMs = 86_400_000;
const lastDay = 99_999;
const lastMs = 9_999_999_999_999;

/**
 * Where an entry lies: days and times count down, so names sort newest first.
 *
 * @param time milliseconds since 1970
 * @param key tells entries of the same time apart, the same for the same thing told twice
 */
export function logPath(time: number, key: string): string {
  const day = String(lastDay - Math.floor(time / dayMs)).padStart(5, "0");
  return `${logFolder}${day}/${String(lastMs - time).padStart(13, "0")}-${key}`;
}

/** The end of the day, in milliseconds, that a folder of the record holds; undefined when it is none. */
export function endOfLogDay(folder: string): number | undefined {
  return /^\d{5}$/.test(folder) ? (lastDay - Number(folder) + 1) * dayMs : undefined;
}

/** As metadata: ASCII without spaces, at most 8 KB even for the longest path in any script. */
export function encodeEntry(entry: LogEntry): string {
  const bytes = new TextEncoder().encode(JSON.stringify(entry));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** @returns undefined for what is no entry of ours */
export function decodeEntry(text: string | undefined): LogEntry | undefined {
  if (text === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return LogEntry.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
