// Wall clocks. A local time is held as the milliseconds that its digits would mean in UTC, so that arithmetic on days and hours
// needs no zone; only `instantsOf` and `localOf` know how far a zone's clock stands from UTC, and they ask Intl.
import { nearestName } from "../nearest-name.ts";
import { windowsZones } from "./windows-zones.ts";

const dayMs = 86_400_000;

export interface TimeZone {
  /** IANA name, as Intl spells it where the author spelt it otherwise. */
  readonly name: string;
  /** What the wall clock shows at an instant, both in milliseconds. */
  localOf(instant: number): number;
  /**
   * When the wall clock shows `local`: one instant, two when the clock was put back over it (earlier first), none when it was
   * put forward over it.
   */
  instantsOf(local: number): readonly number[];
  /** How far ahead of UTC the clock is on a day (days since 1970-01-01), if it does not change then or on the days around. */
  steadyOffset(day: number): number | undefined;
  /** The first of `instantsOf`; a time that was skipped counts on from before the gap (RFC 5545, 3.3.5). */
  instantOf(local: number): number;
}

/** The IANA name that `written` stands for: an IANA or a Windows name in any letter case; undefined when it is neither. */
export function ianaNameOf(written: string): string | undefined {
  const name = written.trim();
  const windows = windowsNames.get(name.toLowerCase());
  if (!isZone(name)) return windows === undefined ? undefined : windowsZones[windows];
  // Intl answers some zones by their old name (Asia/Calcutta), so it is asked for the letter case alone.
  const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
  return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const windowsNames = new Map(Object.keys(windowsZones).map((name) => [name.toLowerCase(), name]));

/** The zone that `written` most likely misspells. */
export function nearestZone(written: string): string | undefined {
  return nearestName(written, [...Object.keys(windowsZones), ...Intl.supportedValuesOf("timeZone")]);
}

/** Intl takes a hundred times longer to make a formatter than to use it. */
const zones = new Map<string, TimeZone>();

/** @param name an IANA name. @throws RangeError when Intl does not know it */
export function timeZoneOf(name: string): TimeZone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = createTimeZone(name);
  zones.set(name, zone);
  return zone;
}

function createTimeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

  function localOf(instant: number): number {
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (
      format.format(instant).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  const offsetAt = (instant: number) => localOf(instant) - instant;

  function instantsOf(local: number): readonly number[] {
    // No clock is a day away from UTC, so these two stand on either side of whatever change is near.
    const candidates = [local - offsetAt(local - dayMs), local - offsetAt(local + dayMs)];
    return [...new Set(candidates)].filter((instant) => localOf(instant) === local).toSorted((a, b) => a - b);
  }

  function steadyOffset(day: number): number | undefined {
    const before = offsetAt(midnightOf(day - 1));
    return before === offsetAt(midnightOf(day + 2)) ? before : undefined;
  }

  return {
    name,
    localOf,
    instantsOf,
    steadyOffset,
    instantOf: (local) => instantsOf(local)[0] ?? local - offsetAt(local - dayMs),
  };
}

/** Whole days from 1970-01-01 to the date that `local` shows. */
export function dayOf(local: number): number {
  return Math.floor(local / dayMs);
}

/** Midnight of a day, as a local time. */
export function midnightOf(day: number): number {
  return day * dayMs;
}
