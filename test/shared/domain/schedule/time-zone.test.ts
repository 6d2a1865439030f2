import { describe, expect, test } from "vitest";
import { timeZoneOf, ianaNameOf } from "#shared/domain/schedule/time-zone.ts";
import { windowsZones } from "#shared/domain/schedule/windows-zones.ts";

describe("a time zone", () => {
  test("goes by its Windows or its IANA name, in any letter case", () => {
    expect(ianaNameOf("Pacific Standard Time")).toBe("America/Los_Angeles");
    expect(ianaNameOf("w. europe standard time")).toBe("Europe/Berlin");
    expect(ianaNameOf("europe/berlin")).toBe("Europe/Berlin");
    expect(ianaNameOf("UTC")).toBe("UTC");
    expect(ianaNameOf("Asia/Kolkata")).toBe("Asia/Kolkata");
    expect(ianaNameOf("Middle Earth Standard Time")).toBeUndefined();
  });

  test("of every Windows name is known to Intl", () => {
    expect(Object.keys(windowsZones).length).toBeGreaterThan(140);
    const unknown = Object.entries(windowsZones).filter(([, zone]) => ianaNameOf(zone) === undefined);
    expect(unknown).toEqual([]);
  });

  // Names and distances from UTC as Azure ML's reference lists them.
  test.for([
    ["Hawaiian Standard Time", -600],
    ["Marquesas Standard Time", -570],
    ["US Mountain Standard Time", -420],
    ["Newfoundland Standard Time", -210],
    ["UTC-02", -120],
    ["Cape Verde Standard Time", -60],
    ["South Africa Standard Time", 120],
    ["Türkiye Standard Time", 180],
    ["Arabian Standard Time", 240],
    ["Afghanistan Standard Time", 270],
    ["India Standard Time", 330],
    ["Nepal Standard Time", 345],
    ["Aus Central W. Standard Time", 525],
    ["Tokyo Standard Time", 540],
    ["Kamchatka Standard Time", 720],
    ["UTC+12", 720],
    ["Line Islands Standard Time", 840],
  ] as const)("%s is %i minutes from UTC in winter", ([name, minutes]) => {
    const instant = Date.parse("2026-01-15T00:00:00Z");
    const local = timeZoneOf(ianaNameOf(name) ?? "").localOf(instant);
    expect((local - instant) / 60_000).toBe(minutes);
  });

  test("shows a time twice when its clock is put back, and not at all when it is put forward", () => {
    const zone = timeZoneOf("America/New_York");
    const iso = (instants: readonly number[]) => instants.map((instant) => new Date(instant).toISOString());
    expect(iso(zone.instantsOf(Date.UTC(2026, 10, 1, 1, 30)))).toEqual([
      "2026-11-01T05:30:00.000Z",
      "2026-11-01T06:30:00.000Z",
    ]);
    expect(zone.instantsOf(Date.UTC(2026, 2, 8, 2, 30))).toEqual([]);
    expect(iso([zone.instantOf(Date.UTC(2026, 2, 8, 2, 30))])).toEqual(["2026-03-08T07:30:00.000Z"]);
  });
});
