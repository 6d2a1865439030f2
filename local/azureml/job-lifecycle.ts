// A job's way through the service's statuses, from NotStarted to its end, across restarts of this process.
import { setTimeout as sleep } from "node:timers/promises";
import type { JobEnd } from "./executor/contract.ts";
import type { JobKind, JobKinds } from "./job-kind.ts";
import { isTerminal, type JobFailure, type JobRecord, type JobStatus, type JobStore } from "./job-store.ts";
import type { Tracking } from "./mlflow.ts";
import type { RunEvents } from "./run-events.ts";
import { notFound, ServiceError, userError } from "./service-error.ts";
import { createSlots } from "./slots.ts";
import type { Store } from "./store.ts";
import type { Log } from "./workspace-context.ts";
import { isMlpipeError } from "#shared/errors.ts";

export interface JobLifecycleOptions {
  readonly store: Store;
  readonly jobs: JobStore;
  readonly kinds: JobKinds;
  readonly tracking: Tracking;
  readonly events: RunEvents;
  /** Jobs in the executor at once; the others are `Queued`. */
  readonly maxConcurrent: number;
  /** Pause before each status but the last, so that tests can see them; 0 in earnest. */
  readonly statusDelayMs: number;
  readonly log: Log;
}

export interface JobLifecycle {
  /** Sends a job that is in the store on its way. */
  submit(jobName: string): void;
  /** @throws ServiceError for a job that has ended or is about to. */
  cancel(jobName: string): void;
  /** Takes up every job that has not ended. */
  resume(): void;
  /** Touches no job from now on; the store may be closed after it. */
  stop(): void;
}

/** The error of a job that never reached its executor, or whose executor broke. */
function toFailure(error: unknown): JobFailure {
  if (error instanceof ServiceError) return { code: error.code, message: error.message };
  if (isMlpipeError(error)) return { code: "UserError", message: error.message };
  return { code: "ServiceError", message: error instanceof Error ? error.message : String(error) };
}

function failureOf(end: JobEnd): JobFailure | undefined {
  if (end.status === "Failed") {
    const { code, message, exitCode } = end;
    return { code, message, ...(exitCode === undefined ? {} : { exitCode }) };
  }
  if (end.status === "Canceled" && end.reason === "timeout") {
    return { code: "JobTimedOut", message: "The job ran longer than limits.timeout and was canceled by the system." };
  }
  return undefined;
}

export function createJobLifecycle(options: JobLifecycleOptions): JobLifecycle {
  const { store, jobs, kinds, tracking, events, maxConcurrent, statusDelayMs, log } = options;
  const slots = createSlots(maxConcurrent);
  const inHand = new Map<string, AbortController>();
  let isStopped = false;

  const kindOf = (job: JobRecord): JobKind => {
    const kind = kinds[job.properties.jobType];
    if (kind === undefined)
      throw userError(`Jobs of type ${job.properties.jobType} are not supported by this workspace.`);
    return kind;
  };

  /** Moves on unless the job is being canceled: that status stays until the end. */
  const enter = (name: string, status: JobStatus): void => {
    const current = jobs.get(name)?.status;
    if (
      isStopped ||
      current === undefined ||
      current === status ||
      current === "CancelRequested" ||
      isTerminal(current)
    )
      return;
    store.transaction(() => {
      jobs.setStatus(name, status);
      if (status === "Running") tracking.setRunStatus(name, "RUNNING");
    });
  };

  const finish = (name: string, status: "Completed" | "Failed" | "Canceled", failure?: JobFailure): void => {
    const job = jobs.get(name);
    // Before the end is written: a crash in between tells of it twice, never not at all.
    if (job !== undefined) events.jobEnded({ ...job, status });
    store.transaction(() => {
      jobs.setStatus(name, status, failure);
      tracking.endRun(name, status);
    });
    log("info", { jobName: name, status, ...(failure === undefined ? {} : { code: failure.code }) }, "job ended");
  };

  /** Statuses before the executor, then a slot. @returns False when canceled on the way. */
  const reachSlot = async (job: JobRecord, signal: AbortSignal): Promise<boolean> => {
    if (!job.hasStarted) {
      for (const status of ["Starting", "Provisioning"] as const) {
        if (statusDelayMs > 0) await sleep(statusDelayMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return false;
        enter(job.name, status);
      }
      if (!slots.isFree) enter(job.name, "Queued");
    }
    return slots.take(signal);
  };

  const stopRunning = (kind: JobKind, jobName: string): void => {
    kind.cancel(jobName).catch((error: unknown) => log("error", { jobName, error }, "job could not be canceled"));
  };

  const drive = async (job: JobRecord, signal: AbortSignal): Promise<void> => {
    const { name } = job;
    if (!(await reachSlot(job, signal))) {
      if (!isStopped) finish(name, "Canceled");
      return;
    }
    try {
      if (isStopped) return;
      const kind = kindOf(job);
      jobs.markStarted(name);
      const running = kind.run(job, (phase) => enter(name, phase));
      // Asked for before a restart: the executor knows the job again from here on.
      if (jobs.get(name)?.status === "CancelRequested") stopRunning(kind, name);
      const end = await running;
      if (!isStopped) finish(name, end.status, failureOf(end));
    } catch (error) {
      if (isStopped) return;
      log("error", { jobName: name, error }, "job could not be run");
      finish(name, "Failed", toFailure(error));
    } finally {
      slots.give();
    }
  };

  const take = (job: JobRecord): void => {
    const controller = new AbortController();
    inHand.set(job.name, controller);
    drive(job, controller.signal)
      .catch((error: unknown) => log("error", { jobName: job.name, error }, "job lost its way"))
      .finally(() => inHand.delete(job.name));
  };

  return {
    submit(jobName) {
      const job = jobs.get(jobName);
      if (job === undefined) throw notFound("Job", jobName);
      // After the answer to the PUT: its sender reads NotStarted, as from the service.
      setImmediate(() => {
        if (!isStopped) take(job);
      });
    },
    cancel(jobName) {
      const job = jobs.get(jobName);
      if (job === undefined) throw notFound("Job", jobName);
      if (job.status === "CancelRequested") return;
      if (isTerminal(job.status) || job.status === "Finalizing") {
        throw userError(`Job ${jobName} is ${job.status} and cannot be canceled.`, ["BadArgument", "JobNotCancelable"]);
      }
      jobs.setStatus(jobName, "CancelRequested");
      if (!job.hasStarted) {
        inHand.get(jobName)?.abort();
        return;
      }
      stopRunning(kindOf(job), jobName);
    },
    resume() {
      for (const job of jobs.unfinished()) {
        if (job.status === "CancelRequested" && !job.hasStarted) finish(job.name, "Canceled");
        else take(job);
      }
    },
    stop() {
      isStopped = true;
      for (const controller of inHand.values()) controller.abort();
    },
  };
}
