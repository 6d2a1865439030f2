// Trouble on demand: what the real service does on a bad day, so that callers can be tested against it.
import { z } from "zod";
import { EventFaults } from "../event-faults.ts";
import { sizeRefusals, type SizeRefusal } from "./size-refusals.ts";

/** When a fault strikes: the next n times, or with a probability; neither means every time. */
const When = { next: z.int().min(0).optional(), rate: z.number().min(0).max(1).optional() };
/** Route name (`jobs.put`), a group (`jobs.*`) or `*`. */
const route = z.string().min(1).default("*");

const FaultRule = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("respond"),
    route,
    status: z.int().min(400).max(599),
    retryAfterSeconds: z.number().min(0).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    ...When,
  }),
  /** Does the work, then closes the connection without an answer. */
  z.strictObject({ kind: z.literal("loseReply"), route, ...When }),
  z.strictObject({ kind: z.literal("delay"), route, ms: z.int().min(0).max(600_000), ...When }),
]);

/** How the service itself ends a job: a machine that is taken away, an image that cannot be built. */
const JobFault = z.strictObject({
  /** A piece of the names of the jobs it befalls. */
  job: z.string().default(""),
  code: z.string().min(1),
  message: z.string(),
  /** Milliseconds after the job was handed over; absent, before its command runs. */
  afterMs: z.int().min(0).max(600_000).optional(),
  ...When,
});
export type JobFault = z.infer<typeof JobFault>;

/** Milliseconds for which each simulated job runs; of two, any time between them, for the same job the same each time. */
const Simulation = z.strictObject({
  ms: z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])]).default(0),
});
export type Simulation = z.infer<typeof Simulation>;

export const Faults = z.strictObject({
  /** Makes rates repeatable. */
  seed: z.int().default(1),
  /** VM size -> how it is refused. */
  sizes: z.record(z.string(), z.enum(sizeRefusals)).default({}),
  rules: z.array(FaultRule).default([]),
  jobs: z.array(JobFault).default([]),
  /** No job starts a process: each only ends, with a small file for each of its outputs. */
  simulated: Simulation.optional(),
  /** What befalls run events on their way. */
  events: EventFaults.prefault({}),
  /** Answers even an identical second PUT of a job with `JobPropertyImmutable`, as the service has been seen to. */
  refuseIdenticalPut: z.boolean().default(false),
});
export type Faults = z.infer<typeof Faults>;
export type FaultsInput = z.input<typeof Faults>;
type Rule = z.infer<typeof FaultRule>;

interface RequestFault {
  readonly delayMs: number;
  readonly respond: Extract<Rule, { kind: "respond" }> | undefined;
  readonly isReplyLost: boolean;
}

export interface FaultPlan {
  /** Puts new faults in place of all the old ones. */
  replace(faults: FaultsInput): Faults;
  current(): Faults;
  forRequest(route: string): RequestFault;
  sizeRefusal(instanceType: string): SizeRefusal | undefined;
  /** What befalls a job that is about to run; asked once for each. */
  forJob(jobName: string): JobFault | undefined;
}

/** mulberry32: small, repeatable, good enough to draw faults with. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function isMatch(pattern: string, name: string): boolean {
  return pattern === "*" || pattern === name || (pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1)));
}

export function createFaults(initial: FaultsInput = {}): FaultPlan {
  let faults = Faults.parse(initial);
  let random = createRandom(faults.seed);

  const strikes = (when: { next?: number | undefined; rate?: number | undefined } | undefined): boolean => {
    if (when === undefined || when.next === 0) return false;
    if (when.rate !== undefined && random() >= when.rate) return false;
    if (when.next !== undefined) when.next -= 1;
    return true;
  };

  return {
    replace(next) {
      faults = Faults.parse(next);
      random = createRandom(faults.seed);
      return faults;
    },
    current: () => faults,
    forRequest(name) {
      let delayMs = 0;
      let respond: RequestFault["respond"];
      let isReplyLost = false;
      for (const rule of faults.rules) {
        // The first answer wins; a rule behind it keeps its count for a later request.
        if (!isMatch(rule.route, name) || (rule.kind === "respond" && respond !== undefined) || !strikes(rule))
          continue;
        if (rule.kind === "delay") delayMs += rule.ms;
        else if (rule.kind === "respond") respond = rule;
        else isReplyLost = true;
      }
      return { delayMs, respond, isReplyLost };
    },
    forJob: (jobName) => faults.jobs.find((fault) => jobName.includes(fault.job) && strikes(fault)),
    sizeRefusal(instanceType) {
      const wanted = instanceType.toLowerCase();
      return Object.entries(faults.sizes).find(([name]) => name.toLowerCase() === wanted)?.[1];
    },
  };
}
