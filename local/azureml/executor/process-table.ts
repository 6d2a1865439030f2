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
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // proc(5): the name in parentheses may hold anything; after it come state (field 3) ... starttime (field 22).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

export interface MarkedProcess {
  readonly pid: number;
  readonly value: string;
}

/**
 * Processes that carry the variable `name` in the environment they were started with, whatever group, session or
 * parent they have now. Empty where the system does not tell.
 */
export async function listMarkedProcesses(name: string): Promise<MarkedProcess[]> {
  const entries = await readdir("/proc").catch((): string[] => []);
  const read = entries
    .filter((entry) => /^\d+$/.test(entry))
    .map(async (entry): Promise<MarkedProcess[]> => {
      const environment = await readFile(`/proc/${entry}/environ`, "utf8").catch(() => "");
      const setting = environment.split("\0").find((one) => one.startsWith(`${name}=`));
      return setting === undefined ? [] : [{ pid: Number(entry), value: setting.slice(name.length + 1) }];
    });
  return (await Promise.all(read)).flat().filter(({ pid }) => pid !== process.pid);
}
