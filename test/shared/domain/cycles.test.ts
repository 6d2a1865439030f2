import { expect, test } from "vitest";
import { findCycles, inDependencyOrder } from "#shared/domain/cycles.ts";

const edges = (map: Record<string, string[]>) => new Map(Object.entries(map));

test("a cycle is drawn from where it is entered back to there", () => {
  expect(findCycles(edges({ a: ["b"], b: ["c"], c: ["b"], d: ["d"], e: ["a"] }))).toEqual([
    ["b", "c", "b"],
    ["d", "d"],
  ]);
});

test("a graph without cycles has none, however deep", () => {
  const chain = new Map(
    Array.from({ length: 50_000 }, (_, index) => [`n${index}`, index === 0 ? [] : [`n${index - 1}`]] as const),
  );
  expect(findCycles(chain)).toEqual([]);
  expect(findCycles(new Map([...chain].toReversed()))).toEqual([]);
});

test("the order puts every name after those it leads to and otherwise keeps the given one", () => {
  expect(
    inDependencyOrder(edges({ score: ["train", "prep"], train: ["prep"], prep: ["elsewhere"], other: [] })),
  ).toEqual(["prep", "other", "train", "score"]);
});
