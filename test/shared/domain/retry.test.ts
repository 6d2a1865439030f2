import { describe, expect, test } from "vitest";
import { biggerSizes } from "#shared/domain/instance-types.ts";
import { mergePolicies, type NodePolicy } from "#shared/domain/node-policy.ts";
import { type Course, initialCourse, nextStep, type Setback, spreadOf } from "#shared/domain/retry.ts";

/** Fails again and again; gives the sizes and waits of what follows. */
function follow(failure: Setback, { policy, sizes = [] }: { policy?: NodePolicy; sizes?: string[] } = {}) {
  let course: Course = initialCourse(sizes);
  const seen: { size: string | null | undefined; delay: number; isDedicated: boolean }[] = [];
  for (let attempt = 1; ; attempt += 1) {
    const step = nextStep(course, failure, policy, attempt, 0);
    if (step.kind === "give-up") return seen;
    ({ course } = step);
    seen.push({ size: course.sizes[0], delay: step.delaySeconds, isDedicated: course.isDedicated === true });
  }
}

describe("after a failure", () => {
  test("of the user's code nothing follows unless asked", () => {
    expect(follow({ class: "user-code" })).toEqual([]);
    expect(follow({ class: "user-code" }, { policy: { retry: { "user-code": { maxAttempts: 3 } } } })).toHaveLength(2);
  });

  test("without a class nothing follows", () => {
    expect(follow({})).toEqual([]);
  });

  test("each wait is twice the one before, up to its bound", () => {
    const delays = follow({ class: "throttled" }).map(({ delay }) => delay);
    expect(delays).toEqual([60, 120, 240, 480]);
    const rule = { maxAttempts: 6, delaySeconds: 100, maxDelaySeconds: 250 };
    expect(follow({ class: "lost" }, { policy: { retry: { lost: rule } } }).map(({ delay }) => delay)).toEqual([
      100, 200, 250, 250, 250,
    ]);
  });

  test("spot machines give way to a dedicated one", () => {
    expect(follow({ class: "preempted" }).map(({ isDedicated }) => isDedicated)).toEqual([false, true, true]);
    const policy = { retry: { preempted: { spotAttempts: 0 } } };
    expect(follow({ class: "preempted" }, { policy })[0]?.isDedicated).toBe(true);
  });

  test("out of memory goes to the next bigger size, and nowhere without one", () => {
    expect(follow({ class: "out-of-memory" }, { sizes: ["Standard_D4s_v5"] })).toMatchObject([
      { size: "Standard_E4s_v3" },
    ]);
    expect(follow({ class: "out-of-memory" })).toEqual([]);
    expect(follow({ class: "out-of-memory" }, { sizes: ["Standard_Unknown"] })).toEqual([]);
    const policy = { retry: { "out-of-memory": { biggerSize: false } } };
    expect(follow({ class: "out-of-memory" }, { sizes: ["Standard_D4s_v5"], policy })).toMatchObject([
      { size: "Standard_D4s_v5" },
    ]);
  });

  test("without capacity each size comes at once, then a wait and another round", () => {
    expect(follow({ class: "no-capacity" }, { sizes: ["A", "B"] }).map(({ size, delay }) => [size, delay])).toEqual([
      ["B", 0],
      ["A", 300],
      ["B", 0],
      ["A", 600],
      ["B", 0],
    ]);
  });

  test("a size refused for good is asked for once", () => {
    expect(follow({ class: "no-capacity", isLasting: true }, { sizes: ["A", "B"] })).toMatchObject([{ size: "B" }]);
  });

  test("what would end the same is tried again only on request", () => {
    expect(follow({ class: "storage", isLasting: true })).toEqual([]);
    const policy = { retry: { storage: { maxAttempts: 2 } } };
    expect(follow({ class: "storage", isLasting: true }, { policy })).toHaveLength(1);
  });

  test("attempts end somewhere whatever is asked for", () => {
    const policy = { retry: { lost: { maxAttempts: 1_000_000, delaySeconds: 0 } } };
    expect(follow({ class: "lost" }, { policy }).length).toBeLessThan(50);
  });
});

test("a node's word counts over its pipeline's, field by field", () => {
  const pipeline = {
    retry: { lost: { maxAttempts: 5, delaySeconds: 1 } },
    limits: { queuedSeconds: 10, nodeSeconds: 99 },
  };
  const node = { retry: { lost: { maxAttempts: 2 }, storage: { maxAttempts: 1 } }, limits: { nodeSeconds: 50 } };
  expect(mergePolicies(node, pipeline)).toEqual({
    retry: { lost: { maxAttempts: 2, delaySeconds: 1 }, storage: { maxAttempts: 1 } },
    limits: { queuedSeconds: 10, nodeSeconds: 50 },
  });
  expect(mergePolicies(undefined, undefined)).toBeUndefined();
});

test("a bigger size has more of the memory that was short", () => {
  expect(biggerSizes("standard_nc4as_t4_V3", "machine")[0]).toBe("Standard_NC8as_T4_v3");
  expect(biggerSizes("Standard_NC4as_T4_v3", "gpu")[0]).toBe("Standard_NC24ads_A100_v4");
  expect(biggerSizes("Standard_DS2_v2", "machine").every((size) => !size.includes("NC"))).toBe(true);
});

test("nodes are spread over a wait, each always at its own place", () => {
  const places = Array.from({ length: 100 }, (_, index) => spreadOf(`run:node_${index}:1`));
  expect(new Set(places).size).toBeGreaterThan(95);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...places)).toBeLessThan(1);
  expect(spreadOf("run:a:1")).toBe(spreadOf("run:a:1"));
});
