// `bench/lost-replies.ts` is the same with ten thousand. One file per case: two workspaces in one process would have two
// authorities of one name, and TLS would believe the first alone.
import { expect } from "vitest";
import { submitMany } from "./submit-many.ts";

const count = 150;

/** Submits jobs to a workspace that loses replies at random, and expects each to have run once. */
export async function expectOneJobEach({ refuseIdenticalPut }: { refuseIdenticalPut: boolean }): Promise<void> {
  const { submitted, others, executed, puts } = await submitMany(
    { count, atOnce: 30, doubled: 0.2 },
    { seed: 7, refuseIdenticalPut, rules: [{ kind: "loseReply", route: "jobs.put", rate: 0.3 }] },
  );
  expect(others).toEqual([]);
  expect(submitted).toBe(count);
  expect(executed.toSorted()).toEqual([...new Set(executed)].toSorted());
  expect(new Set(executed).size).toBe(count);
  expect(puts).toBeGreaterThan(count * 1.3);
}
