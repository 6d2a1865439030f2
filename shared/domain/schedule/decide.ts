// What is to be done about a schedule now. Pure: from its record, the clock and the runs that still run to the next record.
import { derivedRunId } from "../run-id.ts";
import { type CatchUp, toTickTime } from "./schedule.ts";
import { type Fire, type ScheduleRecord, trimmed, withCursor } from "./schedule-record.ts";
import { slotsAfter } from "./slots.ts";

/** A tick older than this was missed; a younger one is on time. */
const lateMs = 5 * 60_000;

/** Ticks are caught up, and counted as missed, this far back. */
const longestLookBackMs = 366 * 86_400_000;

/** Ticks that may wait at once for the runs before them. */
const longestQueue = 10;

/** Id of the run that a tick stands for: the same tick of the same version always gives the same. */
function tickRunId(name: string, version: number, tick: string): Promise<string> {
  return derivedRunId("schedule-tick", JSON.stringify([name, version, tick]));
}

/** Whether `decide` or a start has anything to do, so that nothing has to be looked up where not. */
export function hasWork(record: ScheduleRecord, now: number): boolean {
  return (
    record.fires.some(({ status }) => status === "starting" || status === "queued") || dueSlots(record, now).length > 0
  );
}

/** Runs whose end matters for what is decided next. */
export function runsToAskFor(record: ScheduleRecord): readonly string[] {
  return record.live;
}

/**
 * Decides every tick up to `now`: it starts, waits, is skipped, or was missed.
 *
 * @param now milliseconds
 * @param live those of `runsToAskFor` that have not ended
 */
export async function decide(record: ScheduleRecord, now: number, live: readonly string[]): Promise<ScheduleRecord> {
  const { name, overlap, catchUp, maxCatchUp } = record.schedule;
  const { version } = record;
  const due = dueSlots(record, now);
  const { fired, left } = chooseDue(due, now, catchUp, maxCatchUp);
  const decidedTime = new Date(now).toISOString();
  const fires: Fire[] = record.fires.map((fire) => ({ ...fire }));
  const running = [...live, ...fires.flatMap((fire) => (fire.status === "starting" ? [fire.runId] : []))];

  const start = (tick: string, runId: string, of: number, cancels: string[] = []): Fire => {
    running.push(runId);
    return { status: "starting", tick, version: of, runId, decidedTime, cancels };
  };

  // Whoever waits longest comes first.
  const turn = fires.findIndex(({ status }) => status === "queued");
  const queued = fires[turn];
  if (running.length === 0 && queued?.status === "queued")
    fires[turn] = start(queued.tick, queued.runId, queued.version);

  const [first, last] = [left[0], left.at(-1)];
  if (first !== undefined && last !== undefined) {
    const range = { tick: toTickTime(first), until: toTickTime(last) };
    fires.push({ status: "missed", ...range, version, count: left.length });
  }
  for (const [index, slot] of fired.entries()) {
    const tick = toTickTime(slot);
    const runId = await tickRunId(name, version, tick);
    const blockedBy = running.at(-1);
    if (overlap === "allow" || blockedBy === undefined) fires.push(start(tick, runId, version));
    else if (overlap === "queue") {
      const waiting = fires.filter(({ status }) => status === "queued").length;
      if (waiting < longestQueue) fires.push({ status: "queued", tick, version, runId });
      else fires.push({ status: "skipped", tick, version, blockedBy, reason: `${waiting} ticks are queued already` });
    } else if (overlap === "cancel-previous") {
      const isLast = index === fired.length - 1;
      if (isLast) fires.push(start(tick, runId, version, running.splice(0)));
      else fires.push({ status: "skipped", tick, version, reason: "a later tick is due as well" });
    } else fires.push({ status: "skipped", tick, version, blockedBy, reason: `run ${blockedBy} still runs` });
  }
  const decided = { ...record, live: [...live], fires };
  const newest = due.at(-1);
  return trimmed(newest === undefined ? decided : withCursor(decided, newest));
}

function dueSlots(record: ScheduleRecord, now: number): number[] {
  if (record.isPaused) return [];
  const after = Math.max(Date.parse(record.cursor), now - longestLookBackMs);
  const due: number[] = [];
  for (const slot of slotsAfter(record.schedule.trigger, Date.parse(record.createdTime), after)) {
    if (slot > now) break;
    due.push(slot);
  }
  return due;
}

function chooseDue(due: readonly number[], now: number, catchUp: CatchUp, max: number) {
  const missed = due.filter((slot) => slot < now - lateMs);
  const onTime = due.slice(missed.length);
  const caughtUp = {
    none: [],
    last: onTime.length === 0 ? missed.slice(-1) : [],
    all: missed.slice(-max),
  }[catchUp];
  return { fired: [...caughtUp, ...onTime], left: missed.slice(0, missed.length - caughtUp.length) };
}

/** The next ticks after `now`, at most `count`; none while the schedule is paused. */
export function nextTicks(record: ScheduleRecord, now: number, count: number): string[] {
  const ticks: string[] = [];
  if (record.isPaused) return ticks;
  const after = Math.max(now, Date.parse(record.cursor));
  for (const slot of slotsAfter(record.schedule.trigger, Date.parse(record.createdTime), after)) {
    ticks.push(toTickTime(slot));
    if (ticks.length >= count) break;
  }
  return ticks;
}
