// One job from its PUT to its end. Every stage leaves a record (the process, its exit code, the end), and a new executor
// goes on after the last one it finds.
import { setMaxListeners } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import type { BlobCache } from "./blob-cache.ts";
import { artifactDatastore } from "../datastores.ts";
import { artifactFolder } from "./commit.ts";
import type { CommittedFile, Committer } from "./commit.ts";
import type { ExecutorOptions, JobEnd, JobExecution, JobPhase } from "./contract.ts";
import { readEnd, toCommandEnd, toFailure, writeEnd } from "./job-end.ts";
import type { JobFolder } from "./job-folder.ts";
import type { Limiter } from "./limiter.ts";
import { startLogStream } from "./log-stream.ts";
import type { LogStream } from "./log-stream.ts";
import { fingerprint, prepareJob } from "./prepare-job.ts";
import type { Preparation, PreparedCommand } from "./prepare-job.ts";
import { findProcess, startProcess } from "./processes.ts";
import type { JobProcess } from "./processes.ts";

type CutReason = "cancel" | "timeout";

export interface RunJobOptions extends Preparation {
  readonly committer: Committer;
  readonly cache: BlobCache;
  readonly limitProcesses: Limiter;
  readonly graceMs: number;
  readonly log: ExecutorOptions["log"];
}

export interface RunningJob {
  /** Never settles once the job was halted. */
  readonly end: Promise<JobEnd>;
  /** Resolves when nothing of the job is in hand any more. */
  readonly settled: Promise<void>;
  /** Ends the job: its tree is killed, `end` resolves `Canceled`. */
  cut(reason: CutReason): Promise<void>;
  /** Kills the tree and leaves the job's records for another start. */
  halt(): Promise<void>;
}

const cutCommitSeconds = 120;

export function runJob(
  execution: JobExecution,
  folder: JobFolder,
  onPhase: (phase: JobPhase) => void,
  options: RunJobOptions,
): RunningJob {
  const { datastores, committer, cache, limitProcesses, graceMs, log } = options;
  const { jobName } = execution;
  const abort = new AbortController();
  // Every file in hand listens to it.
  setMaxListeners(0, abort.signal);
  let cutReason: CutReason | undefined;
  let isHalted = false;
  let jobProcess: JobProcess | undefined;
  let cleaning: Promise<void> = Promise.resolve();

  async function toEnd(): Promise<JobEnd> {
    const recorded = await readFile(folder.executionRecord, "utf8").catch(() => undefined);
    if (recorded === undefined) return runFresh();
    const isKnown = recorded === fingerprint(execution);
    const earlier = isKnown ? await readEnd(folder) : undefined;
    if (earlier !== undefined) return earlier;
    const recordedCut = isKnown ? await readFile(folder.cancelRecord, "utf8").catch(() => "") : "";
    if (recordedCut === "cancel" || recordedCut === "timeout") cutReason ??= recordedCut;
    const found = await findProcess(folder);
    if (found?.kind === "alive" && !isKnown) await found.process.terminate(0);
    if (!isKnown || found === undefined) {
      return cutReason === undefined ? runFresh() : { status: "Canceled", reason: cutReason };
    }
    log("info", { jobName, found: found.kind }, "job taken up again");
    if (found.kind === "exited") return finish(found.exitCode, streamLog(true));
    const stdLog = streamLog(true);
    onPhase("Running");
    return finish(await waitForExit(found.process), stdLog);
  }

  async function runFresh(): Promise<JobEnd> {
    onPhase("Preparing");
    const processes = Number(execution.distribution?.["processCountPerInstance"] ?? 1) * execution.instanceCount;
    if (processes > 1) log("warn", { jobName, processes }, "job runs as one process: this machine is one node");
    const environmentLog = startLogStream({
      ...artifact("system_logs/environment.txt"),
      file: folder.environmentLog,
      isContinued: false,
    });
    let prepared: PreparedCommand;
    try {
      prepared = await prepareJob(execution, folder, options, abort.signal);
    } finally {
      await environmentLog.finish();
    }
    const { exitCode, stdLog } = await limitProcesses(async () => {
      abort.signal.throwIfAborted();
      const started = await startProcess(folder, prepared.command, prepared.env);
      onPhase("Running");
      const stream = streamLog(false);
      return { exitCode: await waitForExit(started), stdLog: stream };
    }, abort.signal);
    return finish(exitCode, stdLog);
  }

  function artifact(path: string) {
    return {
      container: datastores.client(artifactDatastore),
      blobName: `${artifactFolder(jobName)}${path}`,
      onError: (error: unknown) => log("warn", { jobName, path, error: String(error) }, "log not carried"),
    };
  }

  function streamLog(isContinued: boolean): LogStream {
    return startLogStream({ ...artifact("user_logs/std_log.txt"), file: folder.stdLog, isContinued });
  }

  async function waitForExit(started: JobProcess): Promise<number | undefined> {
    jobProcess = started;
    if (isHalted) void started.terminate(0);
    else if (cutReason !== undefined) void started.terminate(graceMs);
    const { timeoutSeconds } = execution;
    const cancelTimer =
      timeoutSeconds === undefined
        ? undefined
        : callAt(started.startedAt + timeoutSeconds * 1000, () => void cut("timeout"));
    try {
      return await started.exited;
    } finally {
      cancelTimer?.();
      jobProcess = undefined;
    }
  }

  async function finish(exitCode: number | undefined, stdLog: LogStream): Promise<JobEnd> {
    if (isHalted) {
      stdLog.stop();
      throw new Error("halted");
    }
    const wasCut = cutReason !== undefined;
    if (!wasCut) onPhase("Finalizing");
    // Beside the outputs, not before them: whoever waits for the last file does not wait for the log.
    const carried = stdLog.finish();
    let end = await toCommandEnd(exitCode, folder);
    let committed: CommittedFile[] = [];
    try {
      const signal = wasCut ? AbortSignal.timeout(cutCommitSeconds * 1000) : abort.signal;
      committed = await committer.commit({ execution, folder, wasCut, signal });
    } catch (error) {
      if (isHalted) throw error;
      if (end.status === "Completed") end = toFailure(error);
      log("warn", { jobName, error: String(error) }, "outputs not committed");
    }
    await carried;
    if (cutReason !== undefined) end = { status: "Canceled", reason: cutReason };
    await writeEnd(folder, end);
    cleaning = clean(end, committed);
    return end;
  }

  /** Files that the next job may read stay in the cache; what else the job had goes, unless somebody will look for a mistake. */
  async function clean(end: JobEnd, committed: readonly CommittedFile[]): Promise<void> {
    try {
      await Promise.all(committed.map(({ blob, file }) => cache.keep(blob, file)));
      if (end.status !== "Completed") return;
      await Promise.all(["exe", "cap"].map((name) => rm(`${folder.root}/${name}`, { recursive: true, force: true })));
    } catch (error) {
      log("debug", { jobName, error: String(error) }, "job folder not cleaned");
    }
  }

  async function cut(reason: CutReason): Promise<void> {
    cutReason ??= reason;
    await writeFile(folder.cancelRecord, cutReason).catch(() => undefined);
    abort.abort();
    await jobProcess?.terminate(graceMs);
  }

  const ended = toEnd().catch(async (error: unknown): Promise<JobEnd> => {
    if (isHalted) throw error;
    const end: JobEnd = cutReason === undefined ? toFailure(error) : { status: "Canceled", reason: cutReason };
    await writeEnd(folder, end).catch(() => undefined);
    return end;
  });
  const settled = ended.then(
    () => cleaning,
    () => undefined,
  );
  const end = new Promise<JobEnd>((resolve, reject) => {
    ended.then(resolve, (error: unknown) => {
      if (!isHalted) reject(error);
    });
  });

  return {
    end,
    settled,
    cut,
    async halt() {
      isHalted = true;
      abort.abort();
      await jobProcess?.terminate(0);
      await settled;
    },
  };
}

/** Calls once the clock is at `time`; timers by themselves end at 24 days. Returns how to call it off. */
function callAt(time: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const left = time - Date.now();
    timer = setTimeout(left > 2 ** 31 - 1 ? arm : call, Math.min(Math.max(left, 0), 2 ** 31 - 1));
  };
  arm();
  return () => clearTimeout(timer);
}
