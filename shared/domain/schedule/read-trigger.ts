// `trigger:` of a schedule, cron or recurrence, times read on the wall clock of its zone.
import { type Field, type IssueList, fieldOf } from "../issue-list.ts";
import {
  type Mapping,
  type Reader,
  anything,
  describe,
  isMapping,
  listOf,
  oneOf,
  positiveInteger,
  shape,
  text,
} from "../shape.ts";
import { parseCron } from "./cron.ts";
import { slotsAfter } from "./slots.ts";
import { timeZoneOf, ianaNameOf, nearestZone } from "./time-zone.ts";
import { frequencies, type Pattern, Trigger, weekDayNames } from "./trigger.ts";

const common = { type: text, start_time: text, end_time: text, time_zone: text, timezone: text };
const cronShape = shape({ ...common, expression: text });
const recurrenceShape = shape({
  ...common,
  frequency: oneOf([...frequencies, ...frequencies.map((name) => `${name}s` as const)]),
  interval: positiveInteger,
  schedule: anything,
  // What Azure ML's reference calls the same block in its table.
  pattern: anything,
});

const weekDay = oneOf(weekDayNames);
const patternShape = shape({
  hours: oneOrMore(numberBetween(0, 23)),
  minutes: oneOrMore(numberBetween(0, 59)),
  week_days: oneOrMore(weekDay),
  weekdays: oneOrMore(weekDay),
  month_days: oneOrMore(numberBetween(1, 31)),
});

/** @returns undefined after having told what is wrong */
export function readTrigger(written: unknown, field: Field, list: IssueList): Trigger | undefined {
  if (!isMapping(written)) {
    list.error(field, `expected a \`trigger\` with \`type: cron\` or \`type: recurrence\`, got ${describe(written)}`);
    return undefined;
  }
  const type = oneOf(["cron", "recurrence"])(written.type, fieldOf(field.path, written, "type"), list);
  if (type === undefined) return undefined;
  const read = type === "cron" ? cronShape(written, field, list) : recurrenceShape(written, field, list);
  if (read === undefined) return undefined;
  const zoneKey = read.time_zone === undefined ? "timezone" : "time_zone";
  const timeZone = readZone(read[zoneKey] ?? "UTC", fieldOf(field.path, written, zoneKey), list);
  const kind = type === "cron" ? readCron(written, field, list) : readRecurrence(written, field, list);
  if (timeZone === undefined) return undefined;
  const startTime = readTime(written, "start_time", timeZone, field, list);
  const endTime = readTime(written, "end_time", timeZone, field, list);
  const bounds = {
    timeZone,
    ...(startTime === undefined ? {} : { startTime }),
    ...(endTime === undefined ? {} : { endTime }),
  };
  if (kind === undefined || list.hasErrors) return undefined;
  const trigger = Trigger.parse({ ...kind, ...bounds });
  if (startTime !== undefined && endTime !== undefined && endTime < startTime) {
    list.error(fieldOf(field.path, written, "end_time"), "lies before `start_time`: the schedule would never fire");
    return undefined;
  }
  const from = Date.parse(startTime ?? "2000-01-01T00:00:00Z");
  const isEmpty = slotsAfter({ ...trigger, startTime: new Date(from).toISOString() }, from, from - 1).next().done;
  if (isEmpty === true) {
    list.error(field, "no time fits: the schedule would never fire");
    return undefined;
  }
  return trigger;
}

function readCron(written: Mapping, field: Field, list: IssueList) {
  const { expression } = written;
  const place = fieldOf(field.path, written, "expression");
  if (typeof expression !== "string") {
    list.error(
      expression === undefined ? field : place,
      `a cron trigger needs an \`expression\`, got ${describe(expression)}`,
    );
    return undefined;
  }
  const cron = parseCron(expression);
  if (typeof cron === "string") {
    list.error(place, cron);
    return undefined;
  }
  if (cron.hasBothDays) list.warn(place, "fires only on days that match DAYS and DAYS-OF-WEEK both");
  return { type: "cron", expression: expression.trim() };
}

function readRecurrence(written: Mapping, field: Field, list: IssueList) {
  // The shape has been read, and told of, before; here only the values matter.
  const given = typeof written.frequency === "string" ? written.frequency.toLowerCase().replace(/s$/, "") : undefined;
  const frequency = frequencies.find((name) => name === given);
  if (frequency === undefined) {
    if (written.frequency === undefined)
      list.error(field, `a recurrence needs a \`frequency\`: ${frequencies.join(", ")}`);
    return undefined;
  }
  if (written.interval === undefined || written.interval === null) {
    list.error(field, "a recurrence needs an `interval`: every how many of its `frequency` it fires");
    return undefined;
  }
  const key = isMapping(written.schedule) || written.pattern === undefined ? "schedule" : "pattern";
  const pattern = readPattern(written[key], fieldOf(field.path, written, key), list);
  if (pattern !== undefined && (frequency === "minute" || frequency === "hour")) {
    list.error(fieldOf(field.path, written, key), `goes with the frequencies day, week and month, not ${frequency}`, {
      atKey: true,
    });
  }
  return {
    type: "recurrence",
    frequency,
    interval: Number(written.interval),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

function readPattern(written: unknown, field: Field, list: IssueList): Pattern | undefined {
  if (written === undefined || written === null) return undefined;
  const read = patternShape(written, field, list);
  if (read === undefined) return undefined;
  const { hours, minutes, month_days: monthDays } = read;
  const weekDays = read.week_days ?? read.weekdays;
  if (hours === undefined || minutes === undefined) {
    list.error(field, `needs \`hours\` and \`minutes\`; \`${hours === undefined ? "hours" : "minutes"}\` is missing`);
    return undefined;
  }
  return {
    hours: [...hours],
    minutes: [...minutes],
    ...(weekDays === undefined ? {} : { weekDays: [...weekDays] }),
    ...(monthDays === undefined ? {} : { monthDays: [...monthDays] }),
  };
}

function readZone(written: string, field: Field, list: IssueList): string | undefined {
  const name = ianaNameOf(written);
  if (name !== undefined) return name;
  const nearest = nearestZone(written);
  const message = `${describe(written)} is no time zone; write a Windows name (\`Pacific Standard Time\`) or an IANA name (\`Europe/Berlin\`)`;
  list.error(field, message, nearest === undefined ? {} : { nearest: { name: written, among: [nearest] } });
  return undefined;
}

const timePattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/i;

/** ISO 8601; without an offset it is what the zone's clock shows. */
function readTime(holder: Mapping, key: string, timeZone: string, field: Field, list: IssueList): string | undefined {
  const written = holder[key];
  if (written === undefined || written === null) return undefined;
  const match = typeof written === "string" ? timePattern.exec(written.trim()) : null;
  const numbers = (match ?? []).slice(1, 7).map((part) => Number(part ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const isDate = new Date(local).getUTCDate() === day && new Date(local).getUTCMonth() === month - 1;
  if (match === null || !isDate || hour > 23 || minute > 59 || second > 59) {
    list.error(
      fieldOf(field.path, holder, key),
      `expected a time such as \`2026-01-31T06:00:00\`, got ${describe(written)}`,
    );
    return undefined;
  }
  const offset = match[7];
  if (offset === undefined) return new Date(timeZoneOf(timeZone).instantOf(local)).toISOString();
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  const shift = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return new Date(local - (sign === "-" ? -shift : shift)).toISOString();
}

function oneOrMore<Value>(item: Reader<Value>): Reader<readonly Value[]> {
  const many = listOf(item);
  return (value, field, list) => {
    if (!Array.isArray(value)) {
      const one = item(value, field, list);
      return one === undefined ? undefined : [one];
    }
    if (value.length === 0) list.error(field, "an empty list leaves no time to fire at");
    return many(value, field, list);
  };
}

function numberBetween(first: number, last: number): Reader<number> {
  return (value, field, list) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= first && value <= last) return value;
    list.error(field, `expected a whole number from ${first} to ${last}, got ${describe(value)}`);
    return undefined;
  };
}
