// Who is alive on this machine. A pid alone proves nothing, it is given out again; with its start time it does.
// Linux tells both in /proc, other systems through `ps`.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** When the process started, in the machine's own notation; undefined when there is none or it is a zombie. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (process.platform !== "linux") {
    const listed = await run("ps", ["-o", "lstart=", "-p", String(pid)], { timeout: 10_000 }).catch(() => ({
      stdout: "",
    }));
    return listed.stdout.trim().replace(/\s+/g, " ") || undefined;
  }
  return (await readStat(pid))?.startTime;
}

interface Stat {
  readonly group: number;
  readonly startTime: string;
}

/** proc(5): the name in parentheses may hold anything; after it come state (field 3), ..., group (5), ..., starttime (22). */
async function readStat(pid: number | string): Promise<Stat | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const [state, , group, ...later] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const startTime = later[16];
  if (startTime === undefined || state === "Z" || state === "X") return undefined;
  return { group: Number(group), startTime };
}

/** Whether any process of the group runs still; one that only waits to be reaped does not. */
export async function hasLiveGroup(group: number): Promise<boolean> {
  if (!sendSignal(-group, 0)) return false;
  if (process.platform !== "linux") return true;
  const stats = await Promise.all((await listPids()).map(readStat));
  return stats.some((stat) => stat?.group === group);
}

/** False when there is nobody to get it. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function listPids(): Promise<string[]> {
  const entries = await readdir("/proc").catch((): string[] => []);
  return entries.filter((entry) => /^\d+$/.test(entry));
}

export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

export interface MarkedProcess {
  readonly pid: number;
  readonly group: number;
  readonly value: string;
}

/**
 * Processes that carry the variable `name` in the environment they were started with, whatever group, session or
 * parent they have now. Empty where the system does not tell.
 */
export async function listMarkedProcesses(name: string): Promise<MarkedProcess[]> {
  const read = (await listPids()).map(async (pid): Promise<MarkedProcess[]> => {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const setting = environment.split("\0").find((one) => one.startsWith(`${name}=`));
    const stat = setting === undefined ? undefined : await readStat(pid);
    if (setting === undefined || stat === undefined) return [];
    return [{ pid: Number(pid), group: stat.group, value: setting.slice(name.length + 1) }];
  });
  return (await Promise.all(read)).flat().filter(({ pid }) => pid !== process.pid);
}
