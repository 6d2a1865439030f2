// Cron expressions of five fields, as Azure ML's reference writes them: MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK, in NCrontab's
// spelling (https://github.com/atifaziz/NCrontab/wiki/Crontab-Expression). A day must match DAYS, MONTHS and DAYS-OF-WEEK all
// three, which is NCrontab's rule and not that of Unix cron.

export interface Cron {
  /** Each sorted. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekDays: ReadonlySet<number>;
  /** The hours are "every so often" rather than times of the day: they follow the clock when it is put back or forward. */
  readonly isEveryHour: boolean;
  /** Both DAYS and DAYS-OF-WEEK leave days out. */
  readonly hasBothDays: boolean;
}

interface FieldRule {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly names?: readonly string[];
}

const months = "january february march april may june july august september october november december".split(" ");
const weekDays = "sunday monday tuesday wednesday thursday friday saturday".split(" ");

const fields = [
  { name: "MINUTES", first: 0, last: 59 },
  { name: "HOURS", first: 0, last: 23 },
  { name: "DAYS", first: 1, last: 31 },
  { name: "MONTHS", first: 1, last: 12, names: months },
  { name: "DAYS-OF-WEEK", first: 0, last: 6, names: weekDays },
] as const satisfies readonly FieldRule[];

/** @returns the expression's meaning, or in words what is wrong with it */
export function parseCron(expression: string): Cron | string {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    const hint = parts.length === 6 ? "; a schedule has no field for seconds" : "";
    return `a cron expression has five fields, ${fields.map(({ name }) => name).join(" ")}, this has ${parts.length}${hint}`;
  }
  const read: number[][] = [];
  for (const [index, rule] of fields.entries()) {
    const values = readField(parts[index] ?? "", rule);
    if (typeof values === "string") return `${rule.name} \`${parts[index]}\`: ${values}`;
    read.push(values);
  }
  const [minutes = [], hours = [], days = [], monthNumbers = [], weekDayNumbers = []] = read;
  return {
    minutes,
    hours,
    days: new Set(days),
    months: new Set(monthNumbers),
    weekDays: new Set(weekDayNumbers),
    isEveryHour: /[*/-]/.test(parts[1] ?? ""),
    hasBothDays: days.length < 31 && weekDayNumbers.length < 7,
  };
}

function readField(text: string, rule: FieldRule): number[] | string {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [range = "", step, ...more] = item.split("/");
    if (item === "" || more.length > 0) return "cannot be read";
    const stepBy = step === undefined ? 1 : Number(/^\d{1,3}$/.test(step) ? step : NaN);
    if (!(stepBy >= 1)) return `a step is a whole number above 0, not \`${step}\``;
    const bounds = readRange(range, rule, step !== undefined);
    if (typeof bounds === "string") return bounds;
    for (let value = bounds.from; value <= bounds.to; value += stepBy) values.add(value);
  }
  return [...values].toSorted((a, b) => a - b);
}

function readRange(text: string, rule: FieldRule, hasStep: boolean): { from: number; to: number } | string {
  if (text === "*") return { from: rule.first, to: rule.last };
  const dash = text.indexOf("-");
  const from = readValue(dash < 0 ? text : text.slice(0, dash), rule);
  if (typeof from === "string") return from;
  // `a/n` goes from a to the end.
  if (dash < 0) return { from, to: hasStep ? rule.last : from };
  const to = readValue(text.slice(dash + 1), rule);
  if (typeof to === "string") return to;
  return from > to ? `the range \`${text}\` runs backwards` : { from, to };
}

function readValue(text: string, { first, last, names }: FieldRule): number | string {
  const wanted = text.toLowerCase();
  const named = wanted.length < 3 ? -1 : (names ?? []).findIndex((name) => name.startsWith(wanted));
  if (named >= 0) return named + first;
  if (!/^\d{1,2}$/.test(text)) return `\`${text}\` is no value of it${names === undefined ? "" : " and no name"}`;
  const value = Number(text);
  if (value >= first && value <= last) return value;
  return `${value} is not between ${first} and ${last}${names === weekDays && value === 7 ? " (Sunday is 0)" : ""}`;
}
