// The oracle here walks every minute of real time and asks Intl what the wall clock shows. bench/schedules.ts does the same for every
// zone and forty years, against dateutil and zoneinfo.
import { describe, expect, test } from "vitest";
import { parseCron } from "#shared/domain/schedule/cron.ts";
import { slotsAfter } from "#shared/domain/schedule/slots.ts";
import type { Trigger } from "#shared/domain/schedule/trigger.ts";

const at = (text: string) => Date.parse(text);

function take(trigger: Trigger, after: string, count: number): string[] {
  const found: string[] = [];
  for (const slot of slotsAfter(trigger, at("2020-01-01T00:00:00Z"), at(after))) {
    found.push(new Date(slot).toISOString().slice(0, 16));
    if (found.length >= count) break;
  }
  return found;
}

const cron = (expression: string, timeZone: string): Trigger => ({
  type: "cron",
  expression,
  timeZone,
  startTime: "2000-01-01T00:00:00Z",
});

interface Minute {
  readonly instant: number;
  readonly date: number;
  readonly month: number;
  readonly weekDay: number;
  readonly minuteOfDay: number;
}

/** What the wall clock of a zone shows at every minute from `from` to `to`. */
function walk(timeZone: string, from: number, to: number): Minute[] {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    day: "2-digit",
    month: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const minutes: Minute[] = [];
  for (let instant = from; instant < to; instant += 60_000) {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    minutes.push({
      instant,
      date: Number(parts.day),
      month: Number(parts.month),
      weekDay: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(parts.weekday ?? ""),
      minuteOfDay: Number(parts.hour) * 60 + Number(parts.minute),
    });
  }
  return minutes;
}

/** The rules in words: an "every so often" cron fires whenever the clock shows a fitting time; any other fires at its first showing,
 * and where the clock jumped over it, as long after the jump's beginning as if it had not jumped. */
function oracle(expression: string, timeZone: string, from: number, to: number): number[] {
  const fields = parseCron(expression);
  if (typeof fields === "string") throw new Error(fields);
  const isTime = (minuteOfDay: number) =>
    fields.hours.includes(Math.floor(minuteOfDay / 60)) && fields.minutes.includes(minuteOfDay % 60);
  const isDay = ({ date, month, weekDay }: Minute) =>
    fields.days.has(date) && fields.months.has(month) && fields.weekDays.has(weekDay);
  const minutes = walk(timeZone, from, to);
  const found = new Set<number>();
  const shown = new Set<string>();
  for (const [index, minute] of minutes.entries()) {
    const name = `${minute.month}-${minute.date} ${minute.minuteOfDay}`;
    const isFirst = !shown.has(name);
    shown.add(name);
    if (isDay(minute) && isTime(minute.minuteOfDay) && (fields.isEveryHour || isFirst)) found.add(minute.instant);
    const before = minutes[index - 1];
    if (before === undefined || fields.isEveryHour) continue;
    const jump = (minute.minuteOfDay - before.minuteOfDay - 1 + 1440) % 1440;
    // A clock put back by an hour looks like one put forward by 23.
    if (jump === 0 || jump > 720) continue;
    for (let skipped = 0; skipped < jump; skipped += 1) {
      const minuteOfDay = before.minuteOfDay + 1 + skipped;
      const day = minuteOfDay < 1440 ? before : minute;
      if (isDay(day) && isTime(minuteOfDay % 1440)) found.add(minute.instant + skipped * 60_000);
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

/** Changes of the clock, the odd ones too: by half an hour, at midnight, on the day before, across zones' own reforms. */
const changes: [zone: string, day: string][] = [
  ["America/New_York", "2026-03-08"],
  ["America/New_York", "2026-11-01"],
  ["Europe/Berlin", "2026-03-29"],
  ["Europe/Berlin", "2026-10-25"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Australia/Lord_Howe", "2026-10-04"],
  ["America/Havana", "2026-03-08"],
  ["America/Havana", "2026-11-01"],
  ["Africa/Cairo", "2026-04-24"],
  ["Africa/Cairo", "2026-10-30"],
  ["America/Santiago", "2026-09-06"],
  ["America/Santiago", "2026-04-05"],
  ["Africa/Casablanca", "2026-02-15"],
  ["Asia/Beirut", "2026-03-29"],
  ["Atlantic/Azores", "2026-10-25"],
  ["Asia/Kathmandu", "2026-06-01"],
  ["America/Caracas", "2016-05-01"],
  ["Antarctica/Troll", "2026-03-29"],
];
const expressions = [
  "30 2 * * *",
  "0,30 0,1,2,3,23 * * *",
  "*/20 * * * *",
  "7 */2 * * *",
  "15 1-4 * * *",
  "45 23 * * sat,sun",
  "0 0 1,5,25,29 * *",
];

describe("ticks around a change of the clock", () => {
  test.for(changes)("in %s on %s are those of a walk over every minute", ([zone, day]) => {
    const from = at(`${day}T00:00:00Z`) - 2 * 86_400_000;
    const to = from + 4 * 86_400_000;
    for (const expression of expressions) {
      // The walk knows what was shown before its first day only for times of day, so its first day is left out.
      const after = from + 86_400_000;
      const expected = oracle(expression, zone, from, to).filter((instant) => instant > after);
      const found: number[] = [];
      for (const slot of slotsAfter(cron(expression, zone), 0, after)) {
        if (slot >= to) break;
        found.push(slot);
      }
      expect({ expression, ticks: found }).toEqual({ expression, ticks: expected });
    }
  });

  test("where a whole day was skipped, its tick falls together with the next day's", () => {
    expect(take(cron("0 12 * * *", "Pacific/Apia"), "2011-12-29T00:00:00Z", 3)).toEqual([
      "2011-12-29T22:00",
      "2011-12-30T22:00",
      "2011-12-31T22:00",
    ]);
  });
});

describe("a cron expression", () => {
  test("honours day of month and month", () => {
    expect(take(cron("0 6 31 1,3,12 *", "UTC"), "2026-02-01T00:00:00Z", 3)).toEqual([
      "2026-03-31T06:00",
      "2026-12-31T06:00",
      "2027-01-31T06:00",
    ]);
  });

  test("fires where day of month and day of week match both", () => {
    expect(take(cron("0 0 13 * fri", "UTC"), "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-02-13T00:00",
      "2026-03-13T00:00",
      "2026-11-13T00:00",
    ]);
  });

  test("finds a 29 February on a Monday decades away", () => {
    expect(take(cron("0 0 29 2 mon", "UTC"), "2016-03-01T00:00:00Z", 1)).toEqual(["2044-02-29T00:00"]);
  });

  test("that fits no day ends at once", () => {
    expect(take(cron("0 0 31 2 *", "UTC"), "2026-01-01T00:00:00Z", 1)).toEqual([]);
  });
});

const recurrence = (more: Partial<Extract<Trigger, { type: "recurrence" }>>): Trigger => ({
  type: "recurrence",
  frequency: "day",
  interval: 1,
  timeZone: "UTC",
  startTime: "2026-01-07T09:30:00Z",
  ...more,
});

describe("a recurrence", () => {
  test("fires at the cross product of hours and minutes", () => {
    const pattern = { hours: [22, 4], minutes: [30, 0] };
    expect(take(recurrence({ pattern }), "2026-01-07T09:30:00Z", 4)).toEqual([
      "2026-01-07T22:00",
      "2026-01-07T22:30",
      "2026-01-08T04:00",
      "2026-01-08T04:30",
    ]);
  });

  test("without a pattern repeats its start time", () => {
    expect(take(recurrence({ frequency: "week", interval: 2 }), "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-07T09:30",
      "2026-01-21T09:30",
      "2026-02-04T09:30",
    ]);
  });

  test("counts every second week from the Monday of the first", () => {
    const pattern = { hours: [9], minutes: [30], weekDays: ["monday" as const, "friday" as const] };
    expect(take(recurrence({ frequency: "week", interval: 2, pattern }), "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-09T09:30",
      "2026-01-19T09:30",
      "2026-01-23T09:30",
    ]);
  });

  test("on the 31st passes over shorter months", () => {
    const startTime = "2026-01-31T10:00:00Z";
    expect(take(recurrence({ frequency: "month", startTime }), "2026-01-31T10:00:00Z", 2)).toEqual([
      "2026-03-31T10:00",
      "2026-05-31T10:00",
    ]);
  });

  test("by hours counts elapsed time across a change of the clock", () => {
    const startTime = "2026-03-28T23:00:00Z";
    const every12 = recurrence({ frequency: "hour", interval: 12, timeZone: "Europe/Berlin", startTime });
    expect(take(every12, "2026-03-28T23:00:00Z", 2)).toEqual(["2026-03-29T11:00", "2026-03-29T23:00"]);
  });

  test("whose start has passed begins at the next slot", () => {
    expect(take(recurrence({}), "2026-02-01T12:00:00Z", 1)).toEqual(["2026-02-02T09:30"]);
  });

  test("without a start time fires at the moment it was made, then repeats it", () => {
    const { startTime: _none, ...trigger } = recurrence({});
    const made = at("2026-05-04T10:11:00Z");
    const slots = slotsAfter(trigger, made, made - 1);
    expect([slots.next().value, slots.next().value]).toEqual([made, at("2026-05-05T10:11:00Z")]);
  });

  test("ends after its end time, and fires at it", () => {
    expect(take(recurrence({ endTime: "2026-01-09T09:30:00Z" }), "2026-01-07T10:00:00Z", 5)).toEqual([
      "2026-01-08T09:30",
      "2026-01-09T09:30",
    ]);
  });
});
