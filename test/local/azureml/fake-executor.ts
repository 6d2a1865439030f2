// An executor that does as the test says, job by job, and remembers what it was asked for.
import type {
  CreateExecutor,
  Executor,
  ExecutorOptions,
  JobEnd,
  JobExecution,
  JobPhase,
} from "#local/azureml/executor/contract.ts";

interface Running {
  readonly execution: JobExecution;
  readonly onPhase: (phase: JobPhase) => void;
  readonly resolve: (end: JobEnd) => void;
}

export interface FakeExecutor {
  readonly create: CreateExecutor;
  readonly executions: JobExecution[];
  readonly canceled: string[];
  options(): ExecutorOptions;
  /** Resolves once the job has been handed over. */
  started(jobName: string): Promise<JobExecution>;
  phase(jobName: string, phase: JobPhase): void;
  end(jobName: string, end: JobEnd): void;
}

const phases: readonly JobPhase[] = ["Preparing", "Running", "Finalizing"];

/** @param isScripted Whether jobs wait for the test to end them; else each passes all phases and completes at once. */
export function createFakeExecutor({ isScripted = false } = {}): FakeExecutor {
  const running = new Map<string, Running>();
  const executions: JobExecution[] = [];
  const canceled: string[] = [];
  const waiting: { jobName: string; resolve: (execution: JobExecution) => void }[] = [];
  let given: ExecutorOptions | undefined;

  const find = (jobName: string): Running => {
    const job = running.get(jobName);
    if (job === undefined) throw new Error(`${jobName} does not run`);
    return job;
  };
  const end = (jobName: string, how: JobEnd): void => {
    const { resolve } = find(jobName);
    running.delete(jobName);
    resolve(how);
  };
  const executor: Executor = {
    run(execution, onPhase) {
      executions.push(execution);
      if (!isScripted) {
        for (const phase of phases) onPhase(phase);
        return Promise.resolve({ status: "Completed", exitCode: 0 });
      }
      return new Promise((resolve) => {
        running.set(execution.jobName, { execution, onPhase, resolve });
        for (const one of waiting.filter(({ jobName }) => jobName === execution.jobName)) one.resolve(execution);
      });
    },
    cancel(jobName) {
      canceled.push(jobName);
      if (running.has(jobName)) end(jobName, { status: "Canceled", reason: "cancel" });
      return Promise.resolve();
    },
    findFault: ({ condaFile }) =>
      Promise.resolve(condaFile?.includes("unheard-of") === true ? "no index has it" : undefined),
    stop: () => Promise.resolve(),
  };
  return {
    create(options) {
      given = options;
      return executor;
    },
    executions,
    canceled,
    options() {
      if (given === undefined) throw new Error("the executor was not made");
      return given;
    },
    started(jobName) {
      const job = running.get(jobName);
      if (job !== undefined) return Promise.resolve(job.execution);
      return new Promise((resolve) => waiting.push({ jobName, resolve }));
    },
    phase: (jobName, phase) => find(jobName).onPhase(phase),
    end,
  };
}
