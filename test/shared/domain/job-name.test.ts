import fc from "fast-check";
import { expect, test } from "vitest";
import { jobName, parseJobName } from "#shared/domain/job-name.ts";

const runIds = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,40}$/);
const nodes = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,20}(\.[A-Za-z_][A-Za-z0-9_-]{0,20}){0,2}$/);

test("a job's name tells its run, node and attempt", () => {
  fc.assert(
    fc.property(runIds, nodes, fc.integer({ min: 1, max: 9999 }), (runId, node, attempt) => {
      expect(parseJobName(jobName(runId, node, attempt))).toEqual({ runId, node, attempt });
    }),
  );
});

test.each(["coral_goat_qgfzyw3qwk", "a-b", "run-node-0", "run-no_zz-1", "-x-1", ""])("%j is nobody's name", (name) => {
  expect(parseJobName(name)).toBeUndefined();
});
