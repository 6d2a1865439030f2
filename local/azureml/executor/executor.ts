// Runs Azure ML command jobs as processes of this machine.
import { mkdirSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { createEnvironments } from "../environments/environments.ts";
import type { Environments } from "../environments/environments.ts";
import { createBlobCache } from "./blob-cache.ts";
import { createCommitter } from "./commit.ts";
import type { Executor, ExecutorOptions, JobEnd, JobExecution, JobPhase } from "./contract.ts";
import type { HostEnvironment } from "./job-environment.ts";
import { toJobFolder, toShellSafeFolder } from "./job-folder.ts";
import { createLimiter } from "./limiter.ts";
import { createMaterialiser } from "./materialise.ts";
import { fingerprint } from "./prepare-job.ts";
import { killStrays } from "./processes.ts";
import { runJob } from "./run-job.ts";
import type { RunningJob } from "./run-job.ts";

export interface ExecutorSettings extends ExecutorOptions {
  /** Made over `cacheFolder` when absent. */
  readonly environments?: Environments;
  /** Environment variables of this machine's user; `process.env` when absent. */
  readonly host?: HostEnvironment;
  /** Between asking a canceled job's processes to end and killing them; 10,000 when absent. */
  readonly graceMs?: number;
}

const transfersAtOnce = 8;
const cacheDays = 30;
const sweepMs = 5000;

export function createExecutor(settings: ExecutorSettings): Executor {
  const { stateFolder, cacheFolder, datastores, log, host = process.env, graceMs = 10_000 } = settings;
  const environments = settings.environments ?? createEnvironments({ cacheFolder, log, host });
  const limitTransfers = createLimiter(transfersAtOnce);
  const limitProcesses = createLimiter(settings.maxConcurrent ?? Infinity);
  const cache = createBlobCache(cacheFolder, limitTransfers);
  const fetchInput = settings.fetchInput ?? ((url: string, signal: AbortSignal) => fetch(url, { signal }));
  const materialiser = createMaterialiser({ datastores, cache, fetchInput });
  const committer = createCommitter(datastores, limitTransfers);
  const folder = join(stateFolder, "jobs");
  mkdirSync(folder, { recursive: true });
  const jobsFolder = toShellSafeFolder(folder);
  const jobs = new Map<string, { readonly identity: string; readonly job: RunningJob }>();
  const endedFolders = new Set<string>();
  const options = { environments, materialiser, datastores, host, committer, cache, limitProcesses, graceMs, log };

  void cache.prune(cacheDays);

  // What an ended job's command left in a session of its own is looked for now and then, for all jobs at once.
  async function sweep(): Promise<void> {
    const ended = new Set(endedFolders);
    endedFolders.clear();
    if (ended.size > 0) await killStrays((workFolder) => !ended.has(workFolder));
  }
  const sweeper = setInterval(() => void sweep(), sweepMs).unref();

  async function run(execution: JobExecution, onPhase: (phase: JobPhase) => void): Promise<JobEnd> {
    const { jobName } = execution;
    const identity = fingerprint(execution);
    const active = jobs.get(jobName);
    if (active !== undefined && active.identity === identity) return active.job.end;
    if (active !== undefined) {
      await active.job.settled;
      return run(execution, onPhase);
    }
    const jobFolder = toJobFolder(jobsFolder, jobName);
    endedFolders.delete(jobFolder.workFolder);
    const job = runJob(execution, jobFolder, onPhase, options);
    jobs.set(jobName, { identity, job });
    void job.settled.then(() => {
      jobs.delete(jobName);
      endedFolders.add(jobFolder.workFolder);
    });
    return job.end;
  }

  return {
    run,
    findFault: (environment) => environments.findFault(environment),

    async cancel(jobName) {
      await jobs.get(jobName)?.job.cut("cancel");
    },

    async stop() {
      clearInterval(sweeper);
      await Promise.all([...[...jobs.values()].map(({ job }) => job.halt()), environments.stop()]);
      await sweep();
      if (jobsFolder !== folder) await unlink(jobsFolder).catch(() => undefined);
    },
  };
}
