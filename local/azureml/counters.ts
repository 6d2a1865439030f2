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
  /** Requests told to come back later, and those of them that came back before their time. */
  readonly told: number;
  readonly tooEarly: number;
}

export interface Counters {
  count(route: string, status: number): void;
  jobPut(put: JobPut): void;
  /** A request has arrived. @param what method and path */
  arrived(what: string): void;
  /** A request was told to come back in so many seconds. */
  toldToWait(what: string, seconds: number): void;
  snapshot(): CountersSnapshot;
  reset(): void;
}

const keptPuts = 20_000;
/** How long after an answer its sender may not have read it. */
const inFlightMs = 50;

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function createCounters(): Counters {
  let sinceMs = nowMs();
  let calls: Record<string, number> = {};
  let accepted: Record<string, number> = {};
  let jobPuts: JobPut[] = [];
  let told = 0;
  let tooEarly = 0;
  const waits = new Map<string, { from: number; until: number }>();
  return {
    count(route, status) {
      calls[route] = (calls[route] ?? 0) + 1;
      if (status < 300) accepted[route] = (accepted[route] ?? 0) + 1;
    },
    jobPut(put) {
      jobPuts.push(put);
      if (jobPuts.length > 2 * keptPuts) jobPuts = jobPuts.slice(-keptPuts);
    },
    arrived(what) {
      const wait = waits.get(what);
      const now = nowMs();
      // Two that were on their way together do not know of each other's answer.
      if (wait === undefined || now < wait.from) return;
      waits.delete(what);
      if (now < wait.until) tooEarly += 1;
    },
    toldToWait(what, seconds) {
      told += 1;
      waits.set(what, { from: nowMs() + inFlightMs, until: nowMs() + seconds * 1000 });
    },
    snapshot: () => ({ sinceMs, calls, accepted, jobPuts: jobPuts.slice(-keptPuts), told, tooEarly }),
    reset() {
      sinceMs = nowMs();
      calls = {};
      accepted = {};
      jobPuts = [];
      told = 0;
      tooEarly = 0;
      waits.clear();
    },
  };
}
