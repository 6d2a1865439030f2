// The times at which a trigger fires, in order, without end. A daily, weekly or monthly slot is a time on the wall clock: one that
// the clock skipped counts on from before the gap, one that it shows twice fires the first time (RFC 5545, 3.3.5). A cron
// expression whose hours are "every so often" follows the clock instead: no slot in a gap, both in an overlap. Recurrences by
// minutes or hours count elapsed time and know no clock at all.
import { parseCron } from "./cron.ts";
import { timeZoneOf, dayOf, midnightOf, type TimeZone } from "./time-zone.ts";
import { type Trigger, weekDayNames } from "./trigger.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Longer than any calendar takes to come round (29 February on one weekday: at most 40 years). */
const longestSearchDays = 41 * 366;

/** Which days, and which times of them. */
interface DayRule {
  /** @param day days since 1970-01-01 */
  matches(day: number): boolean;
  /** Milliseconds since midnight, sorted. */
  readonly times: readonly number[];
  readonly isEveryHour: boolean;
}

/**
 * The slots of a trigger after an instant; ends where the trigger ends, or when nothing comes within 41 years.
 *
 * @param anchor when the schedule was made, in milliseconds: where it counts from when it has no start time
 * @param after milliseconds; a slot at this very instant is not given
 * @returns instants in milliseconds, ascending, each once
 */
export function* slotsAfter(trigger: Trigger, anchor: number, after: number): Generator<number, void> {
  const start = trigger.startTime === undefined ? anchor : Date.parse(trigger.startTime);
  const end = trigger.endTime === undefined ? Infinity : Date.parse(trigger.endTime);
  // Without a start time the first slot is the moment the schedule was made.
  if (trigger.startTime === undefined && anchor > after && anchor <= end) yield anchor;
  const since = Math.max(after, trigger.startTime === undefined ? anchor : start - 1);
  for (const slot of regularSlots(trigger, start, since)) {
    if (slot > end) return;
    yield slot;
  }
}

function regularSlots(trigger: Trigger, start: number, after: number): Iterable<number> {
  if (trigger.type === "recurrence" && (trigger.frequency === "minute" || trigger.frequency === "hour")) {
    return elapsedSlots(start, trigger.interval * (trigger.frequency === "minute" ? minuteMs : hourMs), after);
  }
  const zone = timeZoneOf(trigger.timeZone);
  const rule = trigger.type === "cron" ? cronRule(trigger.expression) : recurrenceRule(trigger, zone.localOf(start));
  return clockSlots(rule, zone, after);
}

function* elapsedSlots(start: number, step: number, after: number): Generator<number, void> {
  for (let slot = start + Math.max(0, Math.floor((after - start) / step) + 1) * step; ; slot += step) yield slot;
}

function* clockSlots(rule: DayRule, zone: TimeZone, after: number): Generator<number, void> {
  // A gap can carry a slot into the next day, so looking starts a day early and a slot waits until no earlier one can come.
  let waiting: number[] = [];
  let last = after;
  let idleDays = 0;
  for (let day = dayOf(zone.localOf(after)) - 1; idleDays < longestSearchDays; day += 1, idleDays += 1) {
    if (rule.matches(day)) {
      const steady = zone.steadyOffset(day);
      for (const time of rule.times) {
        const local = midnightOf(day) + time;
        // On all but a few days of a year this is all there is to it.
        if (steady !== undefined) waiting.push(local - steady);
        else waiting.push(...(rule.isEveryHour ? zone.instantsOf(local) : [zone.instantOf(local)]));
      }
    }
    if (waiting.length === 0) continue;
    const nextDay = zone.instantOf(midnightOf(day + 1));
    const ready = waiting.filter((slot) => slot < nextDay).toSorted((a, b) => a - b);
    waiting = waiting.filter((slot) => slot >= nextDay);
    for (const slot of ready) {
      if (slot <= last) continue;
      last = slot;
      idleDays = 0;
      yield slot;
    }
  }
}

function cronRule(expression: string): DayRule {
  const cron = parseCron(expression);
  if (typeof cron === "string") throw new Error(`not a cron expression: ${cron}`);
  return {
    matches(day) {
      const { date, month, weekDay } = calendar(day);
      return cron.days.has(date) && cron.months.has(month) && cron.weekDays.has(weekDay);
    },
    times: timesOf(cron.hours, cron.minutes),
    isEveryHour: cron.isEveryHour,
  };
}

/** @param start local time that intervals count from */
function recurrenceRule(trigger: Extract<Trigger, { type: "recurrence" }>, start: number): DayRule {
  const { frequency, interval, pattern } = trigger;
  const firstDay = dayOf(start);
  const first = calendar(firstDay);
  // Weeks begin on Monday (RFC 5545, WKST).
  const weekOf = (day: number) => Math.floor((day + 3) / 7);
  const isInInterval = (day: number) => {
    if (frequency === "day") return (day - firstDay) % interval === 0;
    if (frequency === "week") return (weekOf(day) - weekOf(firstDay)) % interval === 0;
    const { month, year } = calendar(day);
    return ((year - first.year) * 12 + month - first.month) % interval === 0;
  };
  const isUnpatterned = pattern?.weekDays === undefined && pattern?.monthDays === undefined;
  const weekDays = pattern?.weekDays?.map((name) => weekDayNames.indexOf(name));
  const defaultWeekDays = frequency === "week" && isUnpatterned ? [first.weekDay] : undefined;
  const defaultMonthDays = frequency === "month" && isUnpatterned ? [first.date] : undefined;
  const onWeekDays = weekDays ?? defaultWeekDays;
  const onMonthDays = pattern?.monthDays ?? defaultMonthDays;
  return {
    matches(day) {
      if (day < firstDay || !isInInterval(day)) return false;
      const { date, weekDay } = calendar(day);
      return (onWeekDays?.includes(weekDay) ?? true) && (onMonthDays?.includes(date) ?? true);
    },
    times: pattern === undefined ? [start - midnightOf(firstDay)] : timesOf(pattern.hours, pattern.minutes),
    isEveryHour: false,
  };
}

function timesOf(hours: readonly number[], minutes: readonly number[]): number[] {
  const all = hours.flatMap((hour) => minutes.map((minute) => hour * hourMs + minute * minuteMs));
  return [...new Set(all)].toSorted((a, b) => a - b);
}

function calendar(day: number) {
  const date = new Date(midnightOf(day));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    date: date.getUTCDate(),
    weekDay: date.getUTCDay(),
  };
}
