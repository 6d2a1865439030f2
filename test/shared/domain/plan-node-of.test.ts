import { describe, expect, test } from "vitest";
import { dependenciesInRun, planNodeOf, roundName } from "#shared/domain/plan-node-of.ts";
import type { PlanNode } from "#shared/domain/plan.ts";

const node = (name: string, more: Partial<PlanNode> = {}): PlanNode => ({
  name,
  kind: "command",
  component: { name },
  command: "true",
  environment: { kind: "inline" },
  inputs: {},
  outputs: {},
  environmentVariables: {},
  resources: { instanceTypes: [], instanceCount: 1 },
  tags: {},
  isDeterministic: true,
  forceRerun: false,
  ...more,
});
const loop = (body: string) => ({ kind: "do_while" as const, body, mapping: {}, maxIterations: 3 });
const each = (body: string) => ({ kind: "parallel_for" as const, body, ports: {} });

const plan = {
  nodes: [
    node("prep"),
    node("loop", { kind: "do_while", loop: loop("step") }),
    node("outer", { kind: "parallel_for", loop: each("inside") }),
    node("tune", { kind: "sweep", sweep: {} as NonNullable<PlanNode["sweep"]> }),
  ],
  bodies: {
    loop: { nodes: [node("step")], outputs: {} },
    outer: {
      nodes: [
        node("inside.first"),
        node("inside.again", { kind: "do_while", loop: loop("inside.body") }),
        node("inside.tune", { kind: "sweep", sweep: {} as NonNullable<PlanNode["sweep"]> }),
      ],
      outputs: {},
    },
    "inside.again": { nodes: [node("inside.body")], outputs: {} },
  },
};

describe("a node of a run", () => {
  test.each([
    ["prep", "prep"],
    ["loop", "loop"],
    ["loop.iteration_2", "step"],
    ["outer.item_1.first", "inside.first"],
    ["outer.item_12.again", "inside.again"],
    ["outer.item_12.again.iteration_3", "inside.body"],
    ["outer.item_2.tune.trial_4", "inside.tune"],
    ["tune.trial_1", "tune"],
  ])("%s is one of %s of the plan", (name, expected) => {
    expect(planNodeOf(plan, name)?.name).toBe(expected);
  });

  test.each([
    "step",
    "loop.item_1",
    "loop.iteration_x",
    "loop.iteration_1.a",
    "prep.trial_1",
    "tune.trial_",
    "inside.first",
  ])("is never called %s", (name) => {
    expect(planNodeOf(plan, name)).toBeUndefined();
  });

  test("knows the nodes it reads by their names in its round", () => {
    const read = (from: string) => ({
      kind: "output" as const,
      type: "uri_folder" as const,
      node: from,
      output: "o",
      mode: "ro_mount" as const,
    });
    const body = {
      nodes: [node("inside.body", { inputs: { a: read("inside.again"), b: read("inside.first"), c: read("prep") } })],
      outputs: {},
    };
    const reading = { ...plan, bodies: { ...plan.bodies, "inside.again": body } };
    expect(dependenciesInRun(reading, "outer.item_12.again.iteration_3")).toEqual([
      "outer.item_12.again",
      "outer.item_12.first",
      "prep",
    ]);
    expect(dependenciesInRun(reading, "nobody")).toEqual([]);
  });

  test("of a loop is called by its round", () => {
    expect(roundName("outer.item_2.again", "do_while", 3)).toBe("outer.item_2.again.iteration_3");
    expect(roundName("each", "parallel_for", 1)).toBe("each.item_1");
  });
});
