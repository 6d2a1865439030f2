// A job's processes: started as a group of their own that outlives this process, found again by their records, waited
// for without polling where the system allows it, and killed with everything they started.
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobFolder } from "./job-folder.ts";
import { processWrapper, takenExitCode } from "./process-wrapper.ts";
import { hasLiveGroup, isAlive, listMarkedProcesses, sendSignal, startTimeOf } from "./process-table.ts";

/** Variable by which a job's processes are known even after they left its group. */
export const processMark = "AZUREML_CR_EXECUTION_WORKING_DIR_PATH";

export interface JobProcess {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /**
   * Exit code of the command as a shell tells it: 128 + signal when it was killed. Undefined when that shell was killed with
   * it, so that nothing tells how it ended.
   */
  readonly exited: Promise<number | undefined>;
  /** Asks the whole tree to end and, after `graceMs`, kills what is left of it. */
  terminate(graceMs: number): Promise<void>;
}

export type FoundProcess =
  | { readonly kind: "alive"; readonly process: JobProcess }
  | { readonly kind: "exited"; readonly exitCode: number };

interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
}

const pollMs = 1000;
const stragglerMs = 300;
/** How long a killed process may hang in the kernel before it is given up. */
const unkillableMs = 2000;

/**
 * Starts the job's command in its folder.
 * @throws Error when the machine cannot start a process.
 */
export async function startProcess(
  folder: JobFolder,
  command: string,
  env: Record<string, string>,
): Promise<JobProcess> {
  await writeFile(folder.commandFile, command);
  const child = spawn("bash", ["-c", processWrapper, "mlpipe-job", folder.root], {
    env,
    detached: true,
    stdio: "ignore",
    cwd: folder.root,
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", reject);
  });
  const exited = ended.then(async (code) => {
    const recorded = await readExitCode(folder);
    if (recorded !== undefined) return recorded;
    const other = code === takenExitCode ? await findProcess(folder) : undefined;
    if (other?.kind === "alive") return other.process.exited;
    return code === null || code === 0 ? undefined : code;
  });
  return toJobProcess(folder, pid, Date.now(), exited);
}

/** The job's process as its records tell: running, ended, or (undefined) never started or lost without a trace. */
export async function findProcess(folder: JobFolder): Promise<FoundProcess | undefined> {
  const record = await readProcessRecord(folder);
  // The exit code is written before the process ends: asked in this order, an end in between is not missed.
  const alive = record !== undefined && (await isAlive(record.pid, record.startTime));
  const exitCode = await readExitCode(folder);
  if (exitCode !== undefined) return { kind: "exited", exitCode };
  if (!alive) return undefined;
  const { mtimeMs } = await stat(folder.processRecord);
  return { kind: "alive", process: toJobProcess(folder, record.pid, mtimeMs, waitForRecord(folder, record)) };
}

/** Kills processes that carry the mark of a work folder for which `isWanted` says no. */
export async function killStrays(isWanted: (workFolder: string) => boolean): Promise<void> {
  for (const { pid, value } of await listMarkedProcesses(processMark)) {
    if (!isWanted(value)) sendSignal(pid, "SIGKILL");
  }
}

function toJobProcess(
  folder: JobFolder,
  pid: number,
  startedAt: number,
  ended: Promise<number | undefined>,
): JobProcess {
  let patienceMs = stragglerMs;
  let isOver = false;
  const exited = ended.then(async (exitCode) => {
    await endStragglers(pid, () => patienceMs);
    isOver = true;
    return exitCode;
  });

  async function signalTree(signal: NodeJS.Signals): Promise<boolean> {
    const marked = (await listMarkedProcesses(processMark)).filter(({ value }) => value === folder.workFolder);
    const hasGroup = !isOver && (await hasLiveGroup(pid));
    // The leader first: it must not write down the death of the others as the command's own end.
    if (hasGroup && signal === "SIGKILL") sendSignal(pid, signal);
    if (hasGroup) sendSignal(-pid, signal);
    for (const one of marked) {
      if (one.group !== pid) sendSignal(one.pid, signal);
    }
    return hasGroup || marked.length > 0;
  }

  async function terminate(graceMs: number): Promise<void> {
    patienceMs = graceMs;
    if (graceMs > 0 && (await signalTree("SIGTERM"))) {
      for (const end = Date.now() + graceMs; !isOver && Date.now() < end;) await sleep(20);
    }
    for (const end = Date.now() + unkillableMs; (await signalTree("SIGKILL")) && Date.now() < end;) await sleep(20);
  }

  return { startedAt, exited, terminate };
}

/** What a command left running in its group gets a moment (a `tee` still writing), then goes, as the service's container does. */
async function endStragglers(pid: number, patienceMs: () => number): Promise<void> {
  const start = Date.now();
  let isLive = await hasLiveGroup(pid);
  while (isLive && Date.now() < start + patienceMs()) {
    await sleep(20);
    isLive = await hasLiveGroup(pid);
  }
  // A live leader would be somebody else's, who was given the number meanwhile.
  if (isLive && (await startTimeOf(pid)) === undefined) sendSignal(-pid, "SIGKILL");
}

/** Exit code of a process that is not our child: its record is watched for, and its death looked for now and then. */
async function waitForRecord(folder: JobFolder, record: ProcessRecord): Promise<number | undefined> {
  let wake: () => void = () => undefined;
  // Watching before looking, so that no change falls in between.
  const watcher = watch(folder.root, () => wake()).on("error", () => undefined);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const alive = await isAlive(record.pid, record.startTime);
      const exitCode = await readExitCode(folder);
      if (exitCode !== undefined) return exitCode;
      if (!alive) return undefined;
      const poll = new AbortController();
      await Promise.race([changed, sleep(pollMs, undefined, { signal: poll.signal })]).finally(() => poll.abort());
    }
  } finally {
    watcher.close();
  }
}

async function readProcessRecord(folder: JobFolder): Promise<ProcessRecord | undefined> {
  const [, pid, startTime] = /^(\d+) (.+)\n$/.exec(await readFile(folder.processRecord, "utf8").catch(() => "")) ?? [];
  return pid === undefined || startTime === undefined ? undefined : { pid: Number(pid), startTime };
}

async function readExitCode(folder: JobFolder): Promise<number | undefined> {
  const [, exitCode] = /^(\d+)\n$/.exec(await readFile(folder.exitRecord, "utf8").catch(() => "")) ?? [];
  return exitCode === undefined ? undefined : Number(exitCode);
}
