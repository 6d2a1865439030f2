import { expect, test } from "vitest";
import { submitMany } from "./submit-many.ts";

// `bench/lost-replies.ts` is the same with ten thousand.
const count = 150;

test.each([
  ["takes an identical PUT again", false],
  ["refuses even an identical PUT", true],
])("a workspace that loses replies at random and %s runs every job once", async (_how, refuseIdenticalPut) => {
  const { submitted, others, executed, puts } = await submitMany(
    { count, atOnce: 30, doubled: 0.2 },
    { seed: 7, refuseIdenticalPut, rules: [{ kind: "loseReply", route: "jobs.put", rate: 0.3 }] },
  );
  expect(others).toEqual([]);
  expect(submitted).toBe(count);
  expect(executed.toSorted()).toEqual([...new Set(executed)].toSorted());
  expect(new Set(executed).size).toBe(count);
  expect(puts).toBeGreaterThan(count * 1.3);
});
