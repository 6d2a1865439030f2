// Where a job lies on this machine. The layout below a job is the service's own (`exe/wd`, `cap/data-capability/wd`);
// the records beside it are what lets another executor take the job up again.
import { createHash } from "node:crypto";
import { readlinkSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface JobFolder {
  readonly root: string;
  /** Current folder of the command, holding a copy of the code. */
  readonly workFolder: string;
  readonly dataFolder: string;
  readonly inputFolder: (name: string) => string;
  readonly outputFolder: (name: string) => string;
  readonly commandFile: string;
  readonly logFolder: string;
  readonly stdLog: string;
  readonly systemLogFolder: string;
  readonly environmentLog: string;
  /** Which execution the folder is for. */
  readonly executionRecord: string;
  /** `{pid} {startTime}`, written by the process itself. */
  readonly processRecord: string;
  /** Exit code, written by the process itself. */
  readonly exitRecord: string;
  /** Why the job is being canceled. */
  readonly cancelRecord: string;
  /** How the job ended, once all of it is committed. */
  readonly endRecord: string;
}

export function toJobFolder(jobsFolder: string, jobName: string): JobFolder {
  const root = join(jobsFolder, jobName);
  const dataFolder = join(root, "cap", "data-capability", "wd");
  return {
    root,
    workFolder: join(root, "exe", "wd"),
    dataFolder,
    inputFolder: (name) => join(dataFolder, `INPUT_${name}`),
    outputFolder: (name) => join(dataFolder, name),
    commandFile: join(root, "command.sh"),
    logFolder: join(root, "user_logs"),
    stdLog: join(root, "user_logs", "std_log.txt"),
    systemLogFolder: join(root, "system_logs"),
    environmentLog: join(root, "system_logs", "environment.txt"),
    executionRecord: join(root, "execution"),
    processRecord: join(root, "process"),
    exitRecord: join(root, "exit"),
    cancelRecord: join(root, "cancel"),
    endRecord: join(root, "end.json"),
  };
}

/**
 * The jobs' folder under a name that a shell reads as one word: commands get paths pasted unquoted, and on the service
 * those never hold a space.
 */
export function toShellSafeFolder(folder: string): string {
  if (/^[\w/.@%+,:-]+$/.test(folder)) return folder;
  const alias = join(tmpdir(), `mlpipe-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`);
  try {
    symlinkSync(folder, alias);
  } catch (error) {
    const isOurs = error instanceof Error && "code" in error && error.code === "EEXIST" && linkTarget(alias) === folder;
    if (!isOurs) return folder;
  }
  return alias;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
