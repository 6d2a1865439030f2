// What was asked of the workspace, for benches and tests.

interface JobPut {
  readonly jobName: string;
  /** Milliseconds of the epoch, with fractions (`performance.timeOrigin + performance.now()`), when the request's head had arrived. */
  readonly receivedAtMs: number;
  /** HTTP status answered, or that would have been had the reply not been lost. */
  readonly status: number;
}

export interface CountersSnapshot {
  readonly sinceMs: number;
  /** Route name -> calls. */
  readonly calls: Readonly<Record<string, number>>;
  /** Route name -> calls answered 2xx. */
  readonly accepted: Readonly<Record<string, number>>;
  readonly jobPuts: readonly JobPut[];
}

export interface Counters {
  count(route: string, status: number): void;
  jobPut(put: JobPut): void;
  snapshot(): CountersSnapshot;
  reset(): void;
}

const keptPuts = 20_000;

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function createCounters(): Counters {
  let sinceMs = nowMs();
  let calls: Record<string, number> = {};
  let accepted: Record<string, number> = {};
  let jobPuts: JobPut[] = [];
  return {
    count(route, status) {
      calls[route] = (calls[route] ?? 0) + 1;
      if (status < 300) accepted[route] = (accepted[route] ?? 0) + 1;
    },
    jobPut(put) {
      jobPuts.push(put);
      if (jobPuts.length > 2 * keptPuts) jobPuts = jobPuts.slice(-keptPuts);
    },
    snapshot: () => ({ sinceMs, calls, accepted, jobPuts: jobPuts.slice(-keptPuts) }),
    reset() {
      sinceMs = nowMs();
      calls = {};
      accepted = {};
      jobPuts = [];
    },
  };
}
