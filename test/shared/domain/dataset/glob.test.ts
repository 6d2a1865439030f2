import { describe, expect, test } from "vitest";
import { isExactName, matchesGlob } from "#shared/domain/dataset/glob.ts";

describe("a glob", () => {
  test.each([
    ["train.csv", "train.csv", true],
    ["train.csv", "train.csv.gz", false],
    ["*.csv", "train.csv", true],
    ["*.csv", "raw/train.csv", false],
    ["train-*-ubyte*", "train-images-idx3-ubyte.gz", true],
    ["train-*-ubyte*", "train-images-idx3-ubyte", true],
    ["?.bin", "a.bin", true],
    ["?.bin", "ab.bin", false],
    ["?.bin", ".bin", false],
    ["**", "a/b/c", true],
    ["**/*.csv", "train.csv", true],
    ["**/*.csv", "a/b/train.csv", true],
    ["raw/**/x", "raw/x", true],
    ["raw/**/x", "raw/a/b/x", true],
    ["raw/**/x", "other/a/x", false],
    ["raw/**", "raw/a", true],
    ["*", "", true],
    ["a.c", "abc", false],
    ["[a]", "a", false],
    ["Train.csv", "train.csv", false],
  ])("%s names %s: %s", (pattern, path, expected) => {
    expect(matchesGlob(pattern, path)).toBe(expected);
  });

  test("that would make a backtracking matcher walk for ever is answered at once", () => {
    const path = `${"a".repeat(5_000)}b`;
    expect(matchesGlob(`${"*a".repeat(60)}c`, path)).toBe(false);
    expect(matchesGlob(`${"**/".repeat(60)}c`, "a/".repeat(500))).toBe(false);
  });

  test("without a wildcard is the name of one file", () => {
    expect([isExactName("a/b.csv"), isExactName("*.csv"), isExactName("?")]).toEqual([true, false, false]);
  });
});
