// What is kept of a schedule between ticks. A tick is decided first, in one write that also moves the cursor, and done after: a
// crash before the write leaves the tick due, a crash after it leaves a fire in `starting`, which is taken up again and finds
// whatever was done already under the run id that the tick stands for.
import { z } from "zod";
import { Schedule } from "./schedule.ts";

const tick = {
  /** The time it stands for. ISO 8601, UTC. */
  tick: z.string(),
  /** Of the schedule, when it was decided. */
  version: z.number().int(),
  /** Somebody asked for this run; the clock did not. */
  isByHand: z.literal(true).optional(),
};

export const Fire = z.discriminatedUnion("status", [
  /** Decided, and being done. */
  z.object({
    status: z.literal("starting"),
    ...tick,
    runId: z.string(),
    decidedTime: z.string(),
    /** Runs to cancel first. */
    cancels: z.array(z.string()),
    /** Why it has not worked so far. */
    problem: z.string().optional(),
  }),
  z.object({ status: z.literal("started"), ...tick, runId: z.string(), cancels: z.array(z.string()) }),
  /** Waits for the runs before it to end. */
  z.object({ status: z.literal("queued"), ...tick, runId: z.string() }),
  z.object({ status: z.literal("skipped"), ...tick, reason: z.string(), blockedBy: z.string().optional() }),
  /** `count` ticks from `tick` to `until` that nobody could fire in time and the catch-up policy leaves out. */
  z.object({ status: z.literal("missed"), ...tick, until: z.string(), count: z.number().int() }),
  z.object({ status: z.literal("failed"), ...tick, runId: z.string(), reason: z.string() }),
]);
export type Fire = z.infer<typeof Fire>;

export const ScheduleRecord = z.object({
  /** `deployed`: it came with the app, and only the app's next version changes it. */
  origin: z.enum(["registered", "deployed"]),
  schedule: Schedule,
  /** Of what the author wrote: another hash is another version. */
  hash: z.string(),
  /** Counts from 1. */
  version: z.number().int(),
  /** ISO 8601, UTC. */
  createdTime: z.string(),
  changedTime: z.string(),
  isPaused: z.boolean(),
  /** Ticks up to here are decided. ISO 8601, UTC. */
  cursor: z.string(),
  /** Oldest first. */
  fires: z.array(Fire),
  /** Runs of this schedule that had not ended when last looked at. */
  live: z.array(z.string()),
});
export type ScheduleRecord = z.infer<typeof ScheduleRecord>;

/** Where the records lie in the default container. */
export const scheduleFolder = "mlpipe/schedules/";

export function schedulePath(name: string): string {
  return `${scheduleFolder}${name}.json`;
}

/** Fires that are remembered beside those still to be done. */
const rememberedFires = 50;

/** A schedule that nobody knew before, at `now` (milliseconds). */
export function newRecord(
  schedule: Schedule,
  hash: string,
  origin: ScheduleRecord["origin"],
  now: number,
): ScheduleRecord {
  const createdTime = minuteOf(now);
  // Without a start time its making is the first tick, and so must still lie ahead of the cursor.
  const cursor = schedule.trigger.startTime === undefined ? Date.parse(createdTime) - 1 : now;
  return {
    origin,
    schedule,
    hash,
    version: 1,
    createdTime,
    changedTime: new Date(now).toISOString(),
    isPaused: false,
    cursor: new Date(cursor).toISOString(),
    fires: [],
    live: [],
  };
}

/** The record with another text of the same schedule. Ticks before `now` belong to the former version. */
export function withSchedule(record: ScheduleRecord, schedule: Schedule, hash: string, now: number): ScheduleRecord {
  if (record.hash === hash) return record;
  const changed = { ...record, schedule, hash, version: record.version + 1, changedTime: new Date(now).toISOString() };
  const isUntouched = Date.parse(record.cursor) < Date.parse(record.createdTime);
  return isUntouched ? changed : withCursor(changed, now);
}

/** Paused, or going on from `now`: what passed while it was paused was not missed but not wanted. */
export function withPause(record: ScheduleRecord, isPaused: boolean, now: number): ScheduleRecord {
  if (record.isPaused === isPaused) return record;
  if (!isPaused) return withCursor({ ...record, isPaused }, now);
  const fires = record.fires.map((fire): Fire => {
    if (fire.status !== "queued") return fire;
    const { runId: _runId, ...rest } = fire;
    return { ...rest, status: "skipped", reason: "the schedule was paused while the tick was queued" };
  });
  return { ...record, isPaused, fires };
}

export function withCursor(record: ScheduleRecord, instant: number): ScheduleRecord {
  const cursor = Math.max(instant, Date.parse(record.cursor));
  return { ...record, cursor: new Date(cursor).toISOString() };
}

/** The record with a run that somebody asks for now; asked for twice under one id it is one run. */
export function withFireByHand(record: ScheduleRecord, runId: string, tickTime: string, now: number): ScheduleRecord {
  if (record.fires.some((fire) => "runId" in fire && fire.runId === runId)) return record;
  const decidedTime = new Date(now).toISOString();
  const base = { tick: tickTime, version: record.version, isByHand: true, runId, decidedTime } as const;
  return trimmed({ ...record, fires: [...record.fires, { status: "starting", ...base, cancels: [] }] });
}

/** What came of starting a run: it is there, it never will be, or it is to be tried again. */
export type StartOutcome =
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "again"; readonly problem: string };

/** The record with what came of the fire of `runId`; one that another host has settled already stays as it is. */
export function withOutcome(record: ScheduleRecord, runId: string, outcome: StartOutcome): ScheduleRecord {
  const fire = record.fires.find((one) => one.status === "starting" && one.runId === runId);
  if (fire?.status !== "starting") return record;
  if (outcome.kind === "again" && fire.problem === outcome.problem) return record;
  const settled = toSettled(fire, outcome);
  const fires = record.fires.map((one) => (one === fire ? settled : one));
  const live = outcome.kind === "started" ? [...new Set([...record.live, runId])] : record.live;
  return { ...record, fires, live };
}

function toSettled(fire: Extract<Fire, { status: "starting" }>, outcome: StartOutcome): Fire {
  const { tick: time, version, isByHand, runId, cancels } = fire;
  const base = { tick: time, version, ...(isByHand === undefined ? {} : { isByHand }) };
  if (outcome.kind === "started") return { status: "started", ...base, runId, cancels };
  if (outcome.kind === "failed") return { status: "failed", ...base, runId, reason: outcome.reason };
  return { ...fire, problem: outcome.problem };
}

/** Drops the oldest fires that are done. */
export function trimmed(record: ScheduleRecord): ScheduleRecord {
  const isOpen = ({ status }: Fire) => status === "starting" || status === "queued";
  const done = record.fires.filter((fire) => !isOpen(fire));
  const kept = new Set(done.slice(-rememberedFires));
  return { ...record, fires: record.fires.filter((fire) => isOpen(fire) || kept.has(fire)) };
}

function minuteOf(now: number): string {
  return new Date(Math.floor(now / 60_000) * 60_000).toISOString();
}
