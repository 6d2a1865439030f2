import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jobName } from "#shared/domain/job-name.ts";
import { nearestName } from "#shared/domain/nearest-name.ts";
import { RunId } from "#shared/domain/run.ts";
import { derivedRunId, newRunId } from "#shared/domain/run-id.ts";

const runIdPattern = /^[a-z]+_[a-z]+_[bcdfghjklmnpqrstvwxyz0-9]{10}$/;

describe("run ids", () => {
  test("have Azure ML's shape for every random number", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value) => {
        const id = newRunId(() => value);
        expect(id).toMatch(runIdPattern);
        expect(RunId.safeParse(id).success).toBe(true);
      }),
    );
  });

  test("of one key are one, of others are others", async () => {
    const ids = await Promise.all([
      derivedRunId("a", "bc"),
      derivedRunId("a", "bc"),
      derivedRunId("ab", "c"),
      derivedRunId("a", "bd"),
    ]);
    expect(ids[0]).toMatch(runIdPattern);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });
});

describe("job names", () => {
  const part = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,12}$/);
  const place = fc.record({
    runId: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/),
    node: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(".")),
    attempt: fc.integer({ min: 1, max: 999 }),
  });

  test("are names that Azure ML takes, and never the same for two places", () => {
    fc.assert(
      fc.property(place, place, (left, right) => {
        const names = [left, right].map(({ runId, node, attempt }) => jobName(runId, node, attempt));
        for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$/);
        expect(names[0] === names[1]).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["a.b", "a_db"],
    ["a_b", "a.b"],
    ["a-1", "a_1"],
  ])("keep `%s` and `%s` apart", (left, right) => {
    expect(jobName("run", left, 1)).not.toBe(jobName("run", right, 1));
  });

  test("that would be too long are refused with the node's name", () => {
    expect(() => jobName("run", "n".repeat(260), 1)).toThrow(/node `n+`: its job's name would be longer than 255/);
  });
});

describe("the nearest name", () => {
  test.each([
    ["trainng_data", "training_data"],
    ["learningRate", "learning_rate"],
    ["ouput", "output"],
    ["reslut", "result"],
    ["uri_fold", "uri_folder"],
  ])("to %s is %s", (name, expected) => {
    expect(nearestName(name, ["training_data", "learning_rate", "output", "result", "uri_file", "uri_folder"])).toBe(
      expected,
    );
  });

  test("is none when nothing is near", () => {
    expect(nearestName("colour", ["epochs", "rate"])).toBeUndefined();
    expect(nearestName("z", ["x", "y"])).toBeUndefined();
  });
});
