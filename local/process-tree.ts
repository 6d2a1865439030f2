import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Process ids of everything that descends from `pid` now, the process itself left out. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const childrenOf = new Map<number, number[]>();
  for (const [child, parent] of await listParents()) {
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), child]);
  }
  const found: number[] = [];
  for (let queue = childrenOf.get(pid) ?? []; queue.length > 0;) {
    found.push(...queue);
    queue = queue.flatMap((child) => childrenOf.get(child) ?? []);
  }
  return found;
}

/** Kills `pid` and all that descends from it, at once. */
export async function killTree(pid: number): Promise<void> {
  const descendants = await descendantsOf(pid);
  for (const each of [pid, ...descendants]) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}

/** [pid, parent's pid] of every process. */
async function listParents(): Promise<[number, number][]> {
  if (process.platform !== "linux") {
    const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="], { timeout: 10_000 });
    return stdout
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
      .map(([pid = 0, parent = 0]) => [pid, parent]);
  }
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  // proc(5): after the name in parentheses come the state and the parent's id.
  return stats
    .filter(Boolean)
    .map((stat) => [Number.parseInt(stat, 10), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])]);
}
