import { describe, expect, test } from "vitest";
import { type DatasetPlace, isVersion, parseDatasetPath } from "#shared/domain/dataset/place.ts";

function place(pattern: string): DatasetPlace {
  const parsed = parseDatasetPath(pattern);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

describe("the place of a dataset", () => {
  test("tells version and file of a path, and the folder of a version", () => {
    const images = place("datasets/images/{version}/");
    expect(images.prefix).toBe("datasets/images/");
    expect(images.folderOf("2026-01")).toBe("datasets/images/2026-01/");
    expect(images.parse("datasets/images/2026-01/raw/a.gz")).toEqual({ version: "2026-01", file: "raw/a.gz" });
    expect(images.parse("datasets/images/v 1+ü%/a")).toEqual({ version: "v 1+ü%", file: "a" });
  });

  test.each([
    "datasets/images/a.gz",
    "datasets/image/1/a",
    "datasets/images/1/",
    "other/images/1/a",
    "datasets/images/../x/a",
  ])("takes no version from %s", (path) => {
    expect(place("datasets/images/{version}/").parse(path)).toBeUndefined();
  });

  test("may name its versions within a segment and have folders behind them", () => {
    const days = place("sales/day-{version}-eu/raw");
    expect(days.folderOf("7")).toBe("sales/day-7-eu/raw/");
    expect(days.parse("sales/day-7-eu/raw/x.csv")).toEqual({ version: "7", file: "x.csv" });
    expect(days.parse("sales/day-7-eu/clean/x.csv")).toBeUndefined();
    expect(days.parse("sales/day-7-us/raw/x.csv")).toBeUndefined();
    expect(days.parse("sales/day--eu/raw/x.csv")).toBeUndefined();
  });

  test.each([
    ["datasets/images/", "once"],
    ["{version}/{version}/", "once"],
    ["/datasets/{version}/", "no slash"],
    ["datasets//{version}/", "segment"],
    ["datasets/../{version}/", "segment"],
    ["datasets/*/{version}/", "only pattern"],
    ["{version}/", "folder of its own"],
    ["mlpipe/runs/{version}/", "belongs to the workspace"],
  ])("is refused when written as %s", (pattern, reason) => {
    expect(parseDatasetPath(pattern)).toContain(reason);
  });

  test("has versions that are one segment of a path", () => {
    expect(["1", "2026-01", "ü x"].every(isVersion)).toBe(true);
    expect(["", ".", "..", "a/b", "a\\b", "a\n", "x".repeat(201)].some(isVersion)).toBe(false);
  });
});
