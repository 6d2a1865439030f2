// One small pipeline, run again and again on one stack while a part is killed, each time at another of the moments after which
// something outlives it. Whatever was killed, the run has to come out as the one that nobody disturbed.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { listMarkedProcesses } from "#local/azureml/executor/process-table.ts";
import { processMark } from "#local/azureml/executor/processes.ts";
import { openStore } from "#local/host/durable/store.ts";
import { startStack } from "#local/stack.ts";
import { stateFolder } from "#local/stack-plan.ts";
import { RunDocument } from "#shared/api.ts";
import { runStatusFacts } from "#shared/domain/run.ts";
import { createApp, shell } from "../suite/app.ts";
import {
  type Arm,
  crashPointsModule,
  createCrashPoints,
  type Part,
  parts,
  type Point,
  toEpochMs,
} from "./crash-points.ts";

/** The attempts that a run of the pipeline makes, whatever happens to it. */
const attempts = ["join-1", "left-1", "left-2", "prep-1", "right-1"];

export interface Disturbed {
  readonly runId: string;
  /** What differs from the run that nobody disturbed; empty when nothing does. */
  readonly differences: readonly string[];
  /** From the order to start until the end was seen. */
  readonly tookMs: number;
  /** The attempts of all nodes together. */
  readonly attempts: number;
  readonly deaths: readonly Death[];
}

export interface Death {
  readonly part: Part;
  /** The point it died at. */
  readonly what: string;
  /** From the death until the part served again. */
  readonly servingMs: number;
  /** From the death until the orchestrations had written down their next step. */
  readonly nextStepMs: number;
}

/** What is done to a run while it is on its way. */
export interface Disturbance {
  readonly arms?: Partial<Record<Part, Omit<Arm, "nonce">>>;
  /** Kills every process of the first job that is found running. */
  readonly killsJob?: boolean;
  /** Kills this part as soon as the armed one is dead. */
  readonly killsToo?: Part;
}

export type KillEverywhere = Awaited<ReturnType<typeof openKillEverywhere>>;

export async function openKillEverywhere() {
  const folder = await mkdtemp(join(tmpdir(), "mlpipe-kill-"));
  const home = join(folder, "home");
  const pointsFolder = join(folder, "points");
  await mkdir(pointsFolder);
  const points = createCrashPoints(pointsFolder);
  const stack = await startStack({ home, preload: crashPointsModule(pointsFolder), healthyMs: 0 });
  const app = createApp(stack);
  let runs = 0;
  let expected: { outputs: string[]; document: unknown } | undefined;

  /** Tells its starts, so that a job that ran twice is seen. */
  const told = (command: string) => `echo $AZUREML_RUN_ID >> ${folder}/starts; ${command}`;
  const outputs = { result: { type: "uri_folder" } };
  const retry = {
    user_code: { max_attempts: 2, delay: 0 },
    lost: { delay: 0 },
    // A shell that outlives its program by a moment says what a machine out of memory makes it say.
    out_of_memory: { max_attempts: 3, delay: 0, bigger_size: false },
  };
  const resources = { properties: { mlpipe: { retry } } };
  const from = (node: string) => `\${{parent.jobs.${node}.outputs.result}}`;
  const jobs = {
    prep: shell(told("printf p > ${{outputs.result}}/text"), { outputs, resources }),
    left: shell(
      told(
        "case $AZUREML_RUN_ID in *-1) exit 3;; esac; { cat ${{inputs.in}}/text; printf l; } > ${{outputs.result}}/text",
      ),
      { inputs: { in: from("prep") }, outputs, resources },
    ),
    right: shell(told("{ cat ${{inputs.in}}/text; printf r; } > ${{outputs.result}}/text"), {
      inputs: { in: from("prep") },
      outputs,
      resources,
    }),
    join: shell(told("cat ${{inputs.left}}/text ${{inputs.right}}/text > ${{outputs.result}}/text"), {
      inputs: { left: from("left"), right: from("right") },
      outputs,
      resources,
    }),
  };

  /** Until an answer comes: a caller asks again, with the same key. */
  async function insist(path: string, init: { method?: string; body?: string; key?: string } = {}): Promise<unknown> {
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${stack.url}/api/${path}`, {
        ...(init.method === undefined ? {} : { method: init.method }),
        ...(init.body === undefined ? {} : { body: init.body }),
        headers: {
          "x-functions-key": stack.key,
          "content-type": "application/json",
          ...(init.key === undefined ? {} : { "idempotency-key": init.key }),
        },
        signal: AbortSignal.timeout(30_000),
      }).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer?.ok === true && text !== undefined) return JSON.parse(text);
      if (tries >= 200) throw new Error(`${path}: ${answer?.status} ${text}`);
      await delay(25);
    }
  }

  async function startRun(): Promise<string> {
    runs += 1;
    const body = JSON.stringify({
      pipeline: { type: "pipeline", name: "diamond", jobs, settings: { force_rerun: true } },
    });
    const started = await insist("runs", { method: "POST", body, key: `${folder} ${runs}` });
    return RunDocument.parse(started).runId;
  }

  async function ended(runId: string, limitMs: number): Promise<RunDocument> {
    for (const deadline = performance.now() + limitMs; ;) {
      const run = RunDocument.parse(await insist(`runs/${runId}`));
      if (runStatusFacts[run.status].isTerminal) return run;
      if (performance.now() > deadline) throw new Error(`${runId} has not ended: ${JSON.stringify(run)}`);
      await delay(20);
    }
  }

  async function judge(runId: string, run: RunDocument, wasJobKilled: boolean): Promise<string[]> {
    const outputs = await Promise.all(["prep", "left", "right", "join"].map((node) => read(runId, node)));
    const seen = { outputs, document: withoutTimes(run, runId) };
    expected ??= seen;
    const [jobNames, starts] = [await jobsOf(runId), await startsOf(runId)];
    const isDouble = new Set(starts).size !== starts.length || starts.some((one) => !jobNames.includes(one));
    const differences = isDouble ? [`commands that ran: ${starts.join(" ")}; jobs: ${jobNames.join(" ")}`] : [];
    if (wasJobKilled) {
      // An attempt that was killed is followed by another: which and how many, nobody can say beforehand.
      const isRight = run.status === "completed" && outputs.join() === expected.outputs.join();
      return isRight ? differences : [...differences, describe(seen, expected)];
    }
    if (JSON.stringify(seen) !== JSON.stringify(expected)) differences.push(describe(seen, expected));
    if (jobNames.join() !== attempts.join()) differences.push(`jobs in the workspace: ${jobNames.join(" ")}`);
    if (starts.join() !== attempts.join()) differences.push(`commands that ran: ${starts.join(" ")}`);
    return differences;
  }

  async function killJob(runId: string, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const marked = await listMarkedProcesses(processMark);
      const own = marked.filter(({ value }) => value.includes(`/${runId}-`));
      const [first] = own;
      if (first === undefined) {
        await delay(2);
        continue;
      }
      for (const { pid, value } of own) if (value === first.value) kill(pid);
      return;
    }
  }

  /** Watches for the death of the armed part, and kills another. */
  async function killToo(part: Part, isOver: () => boolean, sinceMs: number): Promise<void> {
    while (!isOver()) {
      for (const one of parts) {
        if (!(await points.passed(one, sinceMs)).some(({ what }) => what.startsWith("killed "))) continue;
        kill(stack.pids()[part]);
        return;
      }
      await delay(5);
    }
  }

  async function read(runId: string, node: string): Promise<string> {
    for (let tries = 0; ; tries += 1) {
      const answer = await app.call(`runs/${runId}/nodes/${node}/outputs/result/text`).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer?.status === 200 && text !== undefined) return text;
      if (tries >= 100) return `${answer?.status} ${text}`;
      await delay(50);
    }
  }

  async function jobsOf(runId: string): Promise<string[]> {
    const database = new DatabaseSync(join(stateFolder(home, "workspace"), "workspace.db"), { readOnly: true });
    const rows = database.prepare("SELECT name FROM jobs WHERE name LIKE ? ORDER BY name").all(`${runId}-%`);
    database.close();
    return rows.map(({ name }) => String(name).slice(runId.length + 1));
  }

  async function startsOf(runId: string): Promise<string[]> {
    const lines = (await readFile(`${folder}/starts`, "utf8").catch(() => "")).split("\n");
    return lines.flatMap((line) => (line.startsWith(`${runId}-`) ? [line.slice(runId.length + 1)] : [])).toSorted();
  }

  /** Every death since `sinceMs`, with what it cost. */
  async function deathsSince(sinceMs: number): Promise<Death[]> {
    const all = new Map<Part, Point[]>();
    for (const part of parts) all.set(part, await points.passed(part, sinceMs));
    const after = (part: Part, at: number, isIt: (one: Point) => boolean) =>
      (all.get(part)?.find((one) => one.at > at && isIt(one))?.at ?? Number.NaN) - at;
    return parts.flatMap((part) =>
      (all.get(part) ?? []).flatMap(({ what, at }): Death[] => {
        if (!what.startsWith("killed ")) return [];
        const servingMs = after(part, at, (one) => one.what === "ready");
        const isStep = (one: Point) =>
          one.what === "after commit durable.sqlite" && (part === "host" || one.at > at + servingMs);
        return [{ part, what: what.slice("killed ".length), servingMs, nextStepMs: after("host", at, isStep) }];
      }),
    );
  }

  return {
    /** Runs the pipeline once, disturbed or not; the first run of all is what the others are held against. */
    async run({ arms = {}, killsJob = false, killsToo }: Disturbance = {}): Promise<Disturbed> {
      await points.clear();
      for (const part of parts) await points.arm(part, arms[part] ?? { at: 0 });
      const begun = performance.now();
      const sinceMs = toEpochMs(begun);
      let isOver = false;
      const killing = killsToo === undefined ? undefined : killToo(killsToo, () => isOver, sinceMs);
      const runId = await startRun();
      const killingJob = killsJob ? killJob(runId, () => isOver) : undefined;
      const run = await ended(runId, 90_000);
      const tookMs = performance.now() - begun;
      isOver = true;
      await Promise.all([killing, killingJob]);
      for (const part of parts) await points.disarm(part);
      const differences = await judge(runId, run, killsJob);
      const attempts = run.nodes.reduce((sum, node) => sum + node.attempt, 0);
      return { runId, differences, tookMs, attempts, deaths: await deathsSince(sinceMs) };
    },

    /** The points that each part passes in a run that nobody disturbs. */
    async count(): Promise<Record<Part, Point[]>> {
      const { differences } = await this.run();
      if (differences.length > 0) throw new Error(differences.join("\n"));
      const passed = async (part: Part) => (await points.passed(part, 0)).filter(({ count }) => count > 0);
      return { host: await passed("host"), workspace: await passed("workspace"), storage: await passed("storage") };
    },

    /** Ends the stack. @returns what the ended runs have left undone in the durable store */
    async close(): Promise<string[]> {
      await stack.stop();
      const store = openStore(join(stateFolder(home, "host"), "durable.sqlite"));
      const left = [
        ...store.waiting().map((id) => `a message for ${id}`),
        ...store.activitiesAfter(0, 100).map(({ name, instanceId }) => `activity ${name} of ${instanceId}`),
        ...store.dueTimers(Number.MAX_SAFE_INTEGER).map(({ instanceId }) => `a timer of ${instanceId}`),
      ];
      store.close();
      await rm(folder, { recursive: true, force: true });
      return left;
    },
  };
}

function kill(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** The document without ids of this run, times and links. */
function withoutTimes(run: RunDocument, runId: string): unknown {
  const text = JSON.stringify(run, (key, value: unknown) => (/time|seconds|etag/i.test(key) ? undefined : value));
  return JSON.parse(text.replaceAll(runId, "{run}"));
}

function describe(seen: unknown, expected: unknown): string {
  return `the run came out as\n${JSON.stringify(seen)}\ninstead of\n${JSON.stringify(expected)}`;
}
