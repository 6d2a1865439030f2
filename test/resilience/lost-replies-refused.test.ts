import { expect, test } from "vitest";
import { expectOneJobEach } from "./expect-one-job-each.ts";

test("a workspace that loses replies at random and refuses even an identical PUT runs every job once", async () => {
  await expectOneJobEach({ refuseIdenticalPut: true });
  expect.hasAssertions();
});
