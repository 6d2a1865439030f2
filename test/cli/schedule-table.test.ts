import { describe, expect, test } from "vitest";
import pc from "picocolors";
import type { ScheduleDocument } from "#shared/api.ts";
import { renderSchedule, renderScheduleList, renderTicks } from "#cli/views/schedule-table.ts";

const options = { colors: pc.createColors(false), width: 80, now: Date.parse("2026-03-27T12:00:00Z") };
const tick = { version: 2, tick: "2026-03-27T01:30:00Z" };

const nightly: ScheduleDocument = {
  name: "nightly",
  displayName: "Trains on what the day has brought",
  tags: {},
  status: "active",
  origin: "registered",
  version: 2,
  createdTime: "2026-01-01T00:00:00.000Z",
  changedTime: "2026-02-01T00:00:00.000Z",
  trigger: {
    type: "recurrence",
    frequency: "week",
    interval: 2,
    pattern: { hours: [2, 3], minutes: [0, 30], weekDays: ["sunday"] },
    timeZone: "Europe/Berlin",
  },
  overlap: "skip",
  catchUp: "all",
  maxCatchUp: 5,
  pipeline: "fashion_mnist",
  inputs: {},
  next: ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-04-12T00:00:00Z"],
  fires: [
    { ...tick, status: "skipped", reason: "run sharp_pipe_4gvqx6h1fb still runs", blockedBy: "sharp_pipe_4gvqx6h1fb" },
    { ...tick, status: "started", runId: "sharp_pipe_4gvqx6h1fb", cancels: [], isByHand: true },
    { ...tick, status: "missed", until: "2026-03-20T01:30:00Z", count: 7 },
    { ...tick, status: "failed", runId: "x", reason: `There is no pipeline ${"fashion".repeat(12)}` },
  ],
};

const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

describe("a schedule on a terminal of 80 columns", () => {
  test("shows what became of its last ticks", () => {
    const text = renderSchedule(nightly, options);
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text.split("\n")).toEqual([
      "nightly  Trains on what the day has brought",
      "active  every 2 weeks on sun at 02:00,02:30,…  Europe/Berlin",
      "",
      "pipeline  fashion_mnist",
      "overlap   skip",
      "catch up  all, at most 5",
      "version   2, registered, changed 2026-02-01 00:00Z",
      "next      2026-03-29 01:00Z, in 37 h 00 min",
      "",
      "TICK               FATE     WHAT HAPPENED",
      "2026-03-27 01:30Z  skipped  run sharp_pipe_4gvqx6h1fb still runs",
      "2026-03-27 01:30Z  started  run sharp_pipe_4gvqx6h1fb (by hand)",
      "2026-03-27 01:30Z  missed   7 ticks up to 2026-03-20 01:30Z",
      "2026-03-27 01:30Z  failed   There is no pipeline",
      expect.stringMatching(/^ {28}(fashion)+\w*…$/),
    ]);
  });

  test("tells its next ticks in UTC and on its own clock", () => {
    expect(renderTicks(nightly, options).split("\n")).toEqual([
      "UTC                   EUROPE/BERLIN",
      "2026-03-29 01:00:00Z  Sun, 29 Mar 2026, 03:00 GMT+2  in 37 h 00 min",
      "2026-03-29 01:30:00Z  Sun, 29 Mar 2026, 03:30 GMT+2  in 37 h 30 min",
      "2026-04-12 00:00:00Z  Sun, 12 Apr 2026, 02:00 GMT+2  in 15 days",
    ]);
  });

  test("goes on in the next line of a list where one is too short", () => {
    const cron = { type: "cron", expression: "0 3 * * 1-5", timeZone: "UTC" } as const;
    const paused: ScheduleDocument = {
      ...nightly,
      name: "mornings",
      status: "paused",
      trigger: cron,
      next: [],
      fires: [],
    };
    const text = renderScheduleList([nightly, paused], options);
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text.split("\n")[3]).toBe("mornings  paused  fashion_mnist  0 3 * * 1-5");
  });
});
