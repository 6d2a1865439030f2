// The children of a supervisor that was killed are still saving their work when the next one starts. Two processes on
// one database would ruin it, so the next one waits for them.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isAlive, startTimeOf } from "./azureml/executor/process-table.ts";
import { killTree } from "./process-tree.ts";

const Children = z.array(z.object({ pid: z.number(), startTime: z.string() }));
type Children = z.infer<typeof Children>;

const graceMs = 8000;

export interface ChildRegister {
  /** Remembers a child that has just been started. */
  add(pid: number): Promise<void>;
}

/** Waits until every child named in `file` has ended, killing what is not gone in 8 s; then keeps the new ones there. */
export async function openChildRegister(file: string): Promise<ChildRegister> {
  await Promise.all(readChildren(file).map(waitForEnd));
  const children: Children = [];
  return {
    async add(pid) {
      const startTime = await startTimeOf(pid);
      if (startTime === undefined) return;
      children.push({ pid, startTime });
      writeFileSync(file, JSON.stringify(children.slice(-20)), { mode: 0o600 });
    },
  };
}

async function waitForEnd({ pid, startTime }: Children[number]): Promise<void> {
  const deadline = performance.now() + graceMs;
  while (await isAlive(pid, startTime)) {
    if (performance.now() > deadline) return killTree(pid);
    await delay(50);
  }
}

function readChildren(file: string): Children {
  try {
    return Children.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return [];
  }
}
