import { describe, expect, test } from "vitest";
import {
  decodeEntry,
  encodeEntry,
  endOfLogDay,
  logFolder,
  logPath,
  type UploadEntry,
} from "#shared/domain/dataset/event-log.ts";
import { fateOf } from "#shared/domain/dataset/fate.ts";
import { type Arrival, type VersionRecord, withChanges } from "#shared/domain/dataset/version-record.ts";

const time = "2026-01-05T10:00:00.000Z";
const entry: UploadEntry = {
  kind: "upload",
  time,
  path: "datasets/d/1/a",
  size: 1,
  etag: "e1",
  api: "PutBlob",
  dataset: "d",
  version: "1",
  file: "a",
  verdict: "taken",
};
const arrival: Arrival = {
  number: 1,
  status: "started",
  time: "2026-01-05T10:01:00.000Z",
  cause: "whole",
  files: 2,
  bytes: 2,
  manifest: "m",
  completedBy: { path: "b", etag: "e2" },
  runId: "run_1",
};
const record = (...arrivals: Arrival[]): VersionRecord => ({
  dataset: "d",
  version: "1",
  uri: "azureml://d/",
  arrivals,
});
const manifests = new Map([
  [
    1,
    new Map([
      ["a", "e1"],
      ["b", "e2"],
    ]),
  ],
]);

describe("the record of uploads", () => {
  test("has names that sort newest first", () => {
    const times = [0, 1, 999, 86_400_000, Date.parse(time), Date.parse(time) + 1, 9_000_000_000_000];
    const paths = times.map((one) => logPath(one, "k"));
    expect(paths.toSorted()).toEqual(paths.toReversed());
  });

  test("keeps a day in a folder", () => {
    const day = logPath(Date.parse(time), "k").slice(logFolder.length).split("/", 1)[0] ?? "";
    expect(new Date(endOfLogDay(day) ?? 0).toISOString()).toBe("2026-01-06T00:00:00.000Z");
    expect(endOfLogDay("else")).toBeUndefined();
  });

  test("gives an entry back as it was, in ASCII that fits into metadata whatever the path", () => {
    const long = { ...entry, path: "漢".repeat(1_024), file: "漢".repeat(900), reason: "x".repeat(200) };
    const text = encodeEntry(long);
    expect(text).toMatch(/^[A-Za-z0-9+/=]+$/);
    expect(text.length).toBeLessThan(8_192);
    expect(decodeEntry(text)).toEqual(long);
  });

  test("passes over what is no entry", () => {
    expect([decodeEntry(undefined), decodeEntry("%"), decodeEntry(btoa("{}"))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("the fate of an upload", () => {
  test("is to have started the run, to be part of it, or to wait", () => {
    expect(fateOf(entry, record(arrival), manifests)).toEqual({ fate: "merged", runId: "run_1" });
    expect(fateOf({ ...entry, file: "b", etag: "e2" }, record(arrival), manifests)).toEqual({
      fate: "started",
      runId: "run_1",
    });
    expect(fateOf(entry, undefined, manifests)).toEqual({ fate: "waiting" });
  });

  test("is to be replaced when a later write of the file went into the run", () => {
    expect(fateOf({ ...entry, etag: "e0" }, record(arrival), manifests)).toMatchObject({
      fate: "replaced",
      runId: "run_1",
    });
    const after = { ...entry, etag: "e3", time: "2026-01-05T10:02:00.000Z" };
    expect(fateOf(after, record(arrival), manifests)).toEqual({ fate: "waiting" });
  });

  test("is to be ignored when the rule leaves changes alone", () => {
    const after = { ...entry, etag: "e3", time: "2026-01-05T10:02:00.000Z" };
    const changes = { paths: ["a"], time: "2026-01-05T10:02:01.000Z", isIgnored: true };
    expect(fateOf(after, record(withChanges(arrival, changes)), manifests)).toMatchObject({ fate: "ignored" });
  });

  test("is that of its arrival when no run came of it", () => {
    const { runId: _none, ...rest } = arrival;
    const refused = { ...rest, status: "refused" as const, reason: "no such pipeline" };
    expect(fateOf(entry, record(refused), manifests)).toEqual({ fate: "refused", reason: "no such pipeline" });
  });

  test("is what was clear at once, with its reason", () => {
    const told = { ...entry, verdict: "ignored" as const, reason: "not named" };
    expect(fateOf(told, record(arrival), manifests)).toEqual({ fate: "ignored", reason: "not named" });
  });
});

test("changes after a start are kept by name, a bounded number of them", () => {
  const many = Array.from({ length: 50 }, (_, index) => `f${index}`);
  const changed = withChanges(arrival, { paths: many, time, isIgnored: false });
  expect(changed.changedAfter).toMatchObject({ count: 50, time });
  expect(changed.changedAfter?.files).toHaveLength(20);
  expect(withChanges(changed, { paths: ["f0"], time, isIgnored: false }).changedAfter?.count).toBe(50);
});
