// Schedules, one schedule, and its next ticks, as tables.
import type { ScheduleDocument } from "#shared/api.ts";
import type { ScheduleStatus } from "#shared/domain/schedule/schedule-document.ts";
import type { Fire } from "#shared/domain/schedule/schedule-record.ts";
import { formatDuration } from "./format-duration.ts";
import { renderTable } from "./print-table.ts";
import type { TableOptions } from "./run-table.ts";
import { type Hue, paint } from "./statuses.ts";

const scheduleHues = { active: "green", paused: "yellow", ended: "dim" } as const satisfies Record<ScheduleStatus, Hue>;

const fireHues = {
  starting: "cyan",
  started: "green",
  queued: "yellow",
  skipped: "yellow",
  missed: "yellow",
  failed: "red",
} as const satisfies Record<Fire["status"], Hue>;

/** The list, a line per schedule. */
export function renderScheduleList(
  schedules: readonly ScheduleDocument[],
  { colors, width, now }: TableOptions,
): string {
  const rows = schedules.map((schedule) => [
    schedule.name,
    paint(colors, scheduleHues[schedule.status], schedule.status),
    schedule.pipeline,
    describeTrigger(schedule),
    untilNext(schedule, now),
    schedule.fires[0] === undefined ? "" : paint(colors, fireHues[schedule.fires[0].status], schedule.fires[0].status),
  ]);
  return renderTable(["SCHEDULE", "STATUS", "PIPELINE", "WHEN", "NEXT", "LAST"], rows, width);
}

/** A heading, then the last ticks with what became of them. */
export function renderSchedule(schedule: ScheduleDocument, options: TableOptions): string {
  const { colors, width, now } = options;
  const { trigger } = schedule;
  const lines = [
    `${schedule.name}${schedule.displayName === undefined ? "" : `  ${schedule.displayName}`}`,
    `${paint(colors, scheduleHues[schedule.status], schedule.status)}  ${describeTrigger(schedule)}  ${trigger.timeZone}`,
    "",
    `pipeline  ${schedule.pipeline}`,
    `overlap   ${schedule.overlap}`,
    `catch up  ${schedule.catchUp}${schedule.catchUp === "all" ? `, at most ${schedule.maxCatchUp}` : ""}`,
    `version   ${schedule.version}, ${schedule.origin}, changed ${toMinute(schedule.changedTime)}`,
    ...(trigger.endTime === undefined ? [] : [`ends      ${toMinute(trigger.endTime)}`]),
    ...(schedule.next.length === 0
      ? []
      : [`next      ${toMinute(schedule.next[0] ?? "")}, ${untilNext(schedule, now)}`]),
  ];
  if (schedule.fires.length === 0) return [...lines, "", "No tick has fired yet."].join("\n");
  const rows = schedule.fires.map((fire) => [
    toMinute(fire.tick),
    paint(colors, fireHues[fire.status], fire.status),
    describeFire(fire),
  ]);
  return [...lines, "", renderTable(["TICK", "FATE", "WHAT HAPPENED"], rows, width)].join("\n");
}

/** The next ticks in UTC and on the schedule's own clock. */
export function renderTicks({ next, trigger }: ScheduleDocument, { width, now }: TableOptions): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: trigger.timeZone,
    weekday: "short",
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "shortOffset",
  });
  const rows = next.map((tick) => [
    `${tick.replace("T", " ")}`,
    format.format(Date.parse(tick)),
    `in ${formatWait((Date.parse(tick) - now) / 1000)}`,
  ]);
  return renderTable(["UTC", trigger.timeZone.toUpperCase(), ""], rows, width);
}

function describeFire(fire: Fire): string {
  switch (fire.status) {
    case "started":
      return `run ${fire.runId}${fire.cancels.length === 0 ? "" : `, canceled ${fire.cancels.join(", ")}`}${byHand(fire)}`;
    case "starting":
      return `run ${fire.runId}${fire.problem === undefined ? "" : `: ${fire.problem}; tried again every minute`}${byHand(fire)}`;
    case "queued":
      return "waits for the runs before it";
    case "skipped":
      return fire.reason;
    case "missed":
      return fire.count === 1 ? "one tick, nobody could fire it" : `${fire.count} ticks up to ${toMinute(fire.until)}`;
    case "failed":
      return `${fire.reason}${byHand(fire)}`;
  }
}

const byHand = (fire: Fire) => (fire.isByHand === true ? " (by hand)" : "");

function describeTrigger({ trigger }: ScheduleDocument): string {
  if (trigger.type === "cron") return trigger.expression;
  const { frequency, interval, pattern } = trigger;
  const every = interval === 1 ? `every ${frequency}` : `every ${interval} ${frequency}s`;
  if (pattern === undefined) return every;
  const days = [...(pattern.weekDays ?? []).map((day) => day.slice(0, 3)), ...(pattern.monthDays ?? []).map(String)];
  const times = pattern.hours.flatMap((hour) => pattern.minutes.map((minute) => `${pad(hour)}:${pad(minute)}`));
  const shown = times.length > 3 ? [...times.slice(0, 2), "…"] : times;
  return [every, ...(days.length === 0 ? [] : [`on ${days.join(",")}`]), `at ${shown.join(",")}`].join(" ");
}

function untilNext({ next }: ScheduleDocument, now: number): string {
  const [first] = next;
  return first === undefined ? "" : `in ${formatWait((Date.parse(first) - now) / 1000)}`;
}

function formatWait(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days < 2 ? formatDuration(seconds) : `${days} days`;
}

const toMinute = (time: string) => `${time.slice(0, 16).replace("T", " ")}Z`;
const pad = (value: number) => String(value).padStart(2, "0");
