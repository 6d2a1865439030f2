import { expect, test } from "vitest";
import { createRecentMap } from "#shared/recent-map.ts";

test("lets go of what was not used for longest once it weighs too much", () => {
  const map = createRecentMap<string>(10);
  map.set("a", "A", 4);
  map.set("b", "B", 4);
  expect(map.get("a")).toBe("A");
  map.set("c", "C", 4);
  expect([map.get("a"), map.get("b"), map.get("c")]).toEqual(["A", undefined, "C"]);
});

test("keeps the latest however heavy it is, and counts a value that is set again once", () => {
  const map = createRecentMap<string>(10);
  map.set("a", "A", 99);
  expect(map.get("a")).toBe("A");
  map.set("a", "A", 5);
  map.set("b", "B", 5);
  expect([map.get("a"), map.get("b")]).toEqual(["A", "B"]);
  map.delete("a");
  map.set("c", "C", 5);
  expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([undefined, "B", "C"]);
});
