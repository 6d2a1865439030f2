// A job that begins with a fetch from a host that nobody knows fails for certain, and late. It is told so when it is submitted.
import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type CertainDownload, downloadsOfCommand, downloadsOfScript, scriptsOfCommand } from "./certain-downloads.ts";
import { userError } from "./service-error.ts";

export interface DownloadCheck {
  readonly command: string;
  /** A file of the job's code; undefined when there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** Whether a host exists; the system's resolver when absent. */
  readonly hasHost?: (host: string) => Promise<boolean>;
}

const patienceMs = 3000;

/** @throws ServiceError `UserError` naming the first address whose host does not exist */
export async function checkDownloads({ command, readFile, hasHost = isKnown }: DownloadCheck): Promise<void> {
  const found: CertainDownload[] = downloadsOfCommand(command);
  for (const path of scriptsOfCommand(command)) {
    const text = await readFile(path);
    if (text !== undefined) found.push(...downloadsOfScript(path, text));
  }
  for (const { url, place } of found) {
    if (!URL.canParse(url) || (await hasHost(new URL(url).hostname))) continue;
    throw userError(
      `It fetches ${url.split("?")[0]} (${place}), and this machine finds no host of that name: give the job the file as an input.`,
    );
  }
}

/** Behind a proxy names are not ours to look up; a resolver that does not answer has not said no. */
async function isKnown(host: string): Promise<boolean> {
  if (Object.keys(process.env).some((name) => /^(https?|all)_proxy$/i.test(name) && process.env[name] !== ""))
    return true;
  const answer = lookup(host).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOTFOUND",
  );
  return Promise.race([answer, sleep(patienceMs, true, { ref: false })]);
}
