import type { JobEnd, JobPhase } from "./executor/contract.ts";
import type { JobProperties, JobRecord } from "./job-store.ts";

/** What the workspace must know to take, run and stop jobs of one `jobType`. */
export interface JobKind {
  /**
   * Turns the `properties` of a PUT into what is kept: checked, defaults filled in.
   * @throws ServiceError `UserError` naming every field that is wrong.
   */
  normalize(jobName: string, properties: unknown): JobProperties;
  /** Refuses, with the service's error, what cannot be placed; asked for new jobs only. */
  admit(properties: JobProperties): Promise<void>;
  run(job: JobRecord, onPhase: (phase: JobPhase) => void): Promise<JobEnd>;
  cancel(jobName: string): Promise<void>;
}

/** Kind per `jobType`. */
export type JobKinds = Readonly<Record<string, JobKind>>;
