// Timer schedules: NCRONTAB's grammar is checked here, the calendar and its clock changes are croner's.
// https://github.com/atifaziz/NCrontab/wiki/Crontab-Expression
import { parseTimeSpan } from "./time-span.ts";

export interface Schedule {
  /** The first occurrence after `after`; undefined when there is none. */
  next(after: Date): Date | undefined;
  /** Whether it comes round within a minute: such a schedule is not monitored. */
  readonly isWithinMinute: boolean;
  readonly isTimeSpan: boolean;
}

const months = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const days = "SUN MON TUE WED THU FRI SAT".split(" ");
const fields = [
  { name: "second", min: 0, max: 59, names: [] as string[] },
  { name: "minute", min: 0, max: 59, names: [] as string[] },
  { name: "hour", min: 0, max: 23, names: [] as string[] },
  { name: "day", min: 1, max: 31, names: [] as string[] },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of week", min: 0, max: 6, names: days },
] as const;
type Field = (typeof fields)[number];

/**
 * @param text five or six NCRONTAB fields (seconds first when six), or a TimeSpan
 * @param timeZone IANA name
 * @throws with a sentence that names the field
 */
export async function parseSchedule(text: string, timeZone: string): Promise<Schedule> {
  const span = text.includes(" ") ? undefined : parseTimeSpan(text);
  if (span !== undefined) {
    if (span === 0) throw new Error(`The schedule "${text}" is an interval of nothing.`);
    return {
      next: (after) => new Date(after.getTime() + span),
      isWithinMinute: span < 60_000,
      isTimeSpan: true,
    };
  }
  const given = text.trim().split(/\s+/);
  if (given.length !== 5 && given.length !== 6) {
    throw new Error(
      `The schedule "${text}" has ${given.length} fields: it takes "{second} {minute} {hour} {day} {month} {day of week}".`,
    );
  }
  const six = given.length === 5 ? ["0", ...given] : given;
  const values = fields.map((field, index) => parseField(six[index] ?? "", field, text));
  const { Cron } = await import("croner");
  const isInterval = six.slice(0, 3).some((field) => /[*/-]/.test(field));
  const cron = new Cron(values.map((list, index) => toList(list, six[index] ?? "")).join(" "), {
    mode: "6-part",
    domAndDow: true,
    timezone: timeZone,
    // Every field is a list by now, so the two kinds are told apart by what was written.
    fixedTimeRule: isInterval ? "single-value" : "no-wildcard",
  });
  return {
    next: (after) => cron.nextRun(after) ?? undefined,
    isWithinMinute: six.slice(1).every((field) => field === "*") && (values[0]?.length ?? 0) > 1,
    isTimeSpan: false,
  };
}

function toList(values: readonly number[], written: string): string {
  return written === "*" ? "*" : values.join(",");
}

function parseField(text: string, field: Field, schedule: string): number[] {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const match = /^(\*|[a-z]+|\d+)(?:-([a-z]+|\d+))?(?:\/(\d+))?$/i.exec(item);
    const [, first = "", last, step] = match ?? [];
    const from = first === "*" ? field.min : toValue(first, field);
    const to = last !== undefined ? toValue(last, field) : first === "*" || step !== undefined ? field.max : from;
    const by = Number(step ?? 1);
    if (from === undefined || to === undefined || from > to || by < 1 || (first === "*" && last !== undefined)) {
      throw new Error(
        `The schedule "${schedule}" is not valid: "${item}" in its ${field.name} field. ` +
          `It takes ${field.min}-${field.max}${field.names.length > 0 ? " or three-letter names" : ""} with "*", ",", "-" and "/".`,
      );
    }
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function toValue(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + field.min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.min && value <= field.max ? value : undefined;
}
