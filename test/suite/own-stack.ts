// A stack for one test file that breaks what others would miss, and jobs that wait at a gate until the test lets them go on.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { listMarkedProcesses } from "#local/azureml/executor/process-table.ts";
import { processMark } from "#local/azureml/executor/processes.ts";
import { type Stack, startStack } from "#local/stack.ts";
import { createApp, shell } from "./app.ts";
import { createControls } from "./controls.ts";

export type OwnStack = Awaited<ReturnType<typeof openOwnStack>>;

export async function openOwnStack() {
  const folder = await mkdtemp(join(tmpdir(), "mlpipe-suite-"));
  const home = join(folder, "home");
  let stack: Stack = await startStack({ home });
  let gates = 0;

  return {
    home,
    stack: () => stack,
    app: () => createApp(stack),
    controls: () => createControls(stack),

    /** A command that counts its starts, waits, and goes on with `command` once the gate is open. */
    gate(command = "true", more: object = {}) {
      const path = join(folder, `gate-${(gates += 1)}`);
      const waiting = `echo begun; echo begun >> ${path}.starts; until [ -e ${path} ]; do sleep 0.05; done; ${command}`;
      return {
        node: shell(waiting, { outputs: { result: { type: "uri_folder" } }, ...more }),
        open: () => writeFile(path, ""),
        /** Resolves once the command runs. */
        async reached(): Promise<void> {
          while ((await readStarts(path)) === 0) await delay(20);
        },
        /** How often the command was started. */
        starts: () => readStarts(path),
      };
    },

    /** Ids of the processes of this stack's jobs. */
    async jobProcesses(jobName = ""): Promise<number[]> {
      const marked = await listMarkedProcesses(processMark);
      return marked.filter(({ value }) => value.startsWith(home) && value.includes(jobName)).map(({ pid }) => pid);
    },

    /** Kills a part and resolves when another process has taken its place and answers. */
    async kill(part: "host" | "workspace" | "storage"): Promise<void> {
      const before = stack.pids()[part];
      process.kill(before, "SIGKILL");
      while ([0, before].includes(stack.pids()[part])) await delay(20);
      const address = { host: stack.url, workspace: stack.workspace.mlflowUrl, storage: stack.storage.url }[part];
      while (!(await isAnswering(address))) await delay(50);
    },

    /** Ends the stack in order and starts another on its folder. */
    async restart(whileStopped: () => Promise<void>): Promise<void> {
      await stack.stop();
      await whileStopped();
      stack = await startStack({ home });
    },

    async close(): Promise<void> {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function readStarts(path: string): Promise<number> {
  const text = await readFile(`${path}.starts`, "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

async function isAnswering(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined && answer.status !== 503;
}
