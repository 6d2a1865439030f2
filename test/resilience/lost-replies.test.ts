import { expect, test } from "vitest";
import { expectOneJobEach } from "./expect-one-job-each.ts";

test("a workspace that loses replies at random and takes an identical PUT again runs every job once", async () => {
  await expectOneJobEach({ refuseIdenticalPut: false });
  expect.hasAssertions();
});
