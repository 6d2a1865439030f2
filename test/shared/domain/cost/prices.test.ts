import { describe, expect, test } from "vitest";
import { formatUsd, toMicros } from "#shared/domain/cost/money.ts";
import { capIssues } from "#shared/domain/cost/keepable-cap.ts";
import { machineOf, priceOf, readPrices } from "#shared/domain/cost/prices.ts";
import { instanceTypes } from "#shared/domain/instance-types.ts";
import type { Plan } from "#shared/domain/plan.ts";

const dedicated = (name: string | undefined) => ({ name, isSpot: false });

describe("prices", () => {
  test("are shipped for every size of the table, spot below dedicated, in whatever letters", () => {
    const prices = readPrices(undefined);
    for (const [name, { usdPerHour }] of Object.entries(instanceTypes)) {
      expect(priceOf(prices, dedicated(name.toUpperCase()))).toBe(toMicros(usdPerHour));
      expect(priceOf(prices, { name, isSpot: true })).toBeLessThan(toMicros(usdPerHour));
    }
    expect(priceOf(prices, dedicated("Standard_X1"))).toBeUndefined();
    expect(priceOf(prices, dedicated(undefined))).toBeUndefined();
  });

  test("are overridden one by one, for clusters too", () => {
    const prices = readPrices(
      '{"standard_d4s_V5": 0.17, "my-cluster": {"dedicated": 2, "spot": 0.5}, "own": 0, "__proto__": 3}',
    );
    expect(priceOf(prices, dedicated("Standard_D4s_v5"))).toBe(170_000);
    expect(priceOf(prices, { name: "Standard_D4s_v5", isSpot: true })).toBe(68_000);
    expect(priceOf(prices, { name: "my-cluster", isSpot: true })).toBe(500_000);
    expect(priceOf(prices, dedicated("own"))).toBe(0);
    expect(priceOf(prices, dedicated("__proto__"))).toBe(3_000_000);
    expect(priceOf(prices, dedicated("Standard_NC4as_T4_v3"))).toBe(530_000);
    expect(priceOf(readPrices('{"serverless": 0.3}'), dedicated(undefined))).toBe(300_000);
  });

  test.for([
    ["cheap", /^is not a JSON object such as \{.*\}: .*JSON/],
    ["[1]", /^is not a JSON object such as/],
    ["null", /^is not a JSON object such as/],
    ['{"a": -1}', /^has wrong prices: a: expected US dollars an hour, from 0, or \{dedicated, spot\}, got -1$/],
    ['{"a": "1", "b": {"spot": 1}, "c": 1e999}', /a: .* got "1"; b: .* got \{"spot":1\}; c: /],
    ['{"a": {"dedicated": 1, "sport": 1}}', /got \{"dedicated":1,"sport":1\}$/],
  ] as const)("that are written %s are refused with what to write", ([text, message]) => {
    expect(() => readPrices(text)).toThrow(message);
  });

  test("are those of the size, then of the compute, and of spot machines while the node gets them", () => {
    const node = { compute: "azureml:gpu-cluster", queueSettings: { job_tier: "Spot" } };
    expect(machineOf(node, undefined)).toEqual({ name: "gpu-cluster", isSpot: true });
    expect(machineOf(node, "Standard_D4s_v5", true)).toEqual({ name: "Standard_D4s_v5", isSpot: false });
    expect(machineOf({ compute: "azureml:serverless" }, undefined)).toEqual({ name: undefined, isSpot: false });
  });
});

test("a sum of money has as many digits as it needs", () => {
  expect([0, 5, 0.5, 0.0177, 0.00053, 1234.5, 0.1].map(formatUsd)).toEqual([
    "$0.00",
    "$5.00",
    "$0.50",
    "$0.018",
    "$0.00053",
    "$1,234.50",
    "$0.10",
  ]);
});

describe("a cap", () => {
  const node = (name: string, instanceTypes: string[], more: object = {}) => ({
    name,
    kind: "command" as const,
    component: { name },
    command: "true",
    environment: { kind: "asset" as const, id: "e" },
    inputs: {},
    outputs: {},
    environmentVariables: {},
    resources: { instanceTypes, instanceCount: 1 },
    tags: {},
    isDeterministic: true,
    forceRerun: false,
    ...more,
  });
  const plan = (nodes: Plan["nodes"], maxCost?: number): Plan => ({
    pipeline: "p",
    experimentName: "e",
    tags: {},
    settings: { continueOnStepFailure: false, forceRerun: false, ...(maxCost === undefined ? {} : { maxCost }) },
    nodes,
    outputs: {},
  });
  const issues = (nodes: Plan["nodes"], maxCost?: number) =>
    capIssues(plan(nodes, maxCost), readPrices(undefined)).map(({ path, message }) => `${path}: ${message}`);

  test("cannot be kept on a size, a cluster or a choice that has no price, and says what to do", () => {
    const nodes = [
      node("a", ["Standard_D4s_v5", "Standard_X1"]),
      node("b", ["Standard_X1"]),
      node("c", []),
      node("d", [], { compute: "azureml:mine" }),
    ];
    expect(issues(nodes, 5)).toEqual([
      'jobs.a: the cap of $5.00 cannot be kept: nobody knows the price of Standard_X1, which a (and 1 more nodes) asks for; set MLPIPE_PRICES to {"Standard_X1": <US dollars an hour>}',
      'jobs.c: the cap of $5.00 cannot be kept: c names no size and no compute, so the service chooses one at its own price; name `resources.instance_type`, or set MLPIPE_PRICES to {"serverless": <US dollars an hour that it may be>}',
      'jobs.d: the cap of $5.00 cannot be kept: nobody knows the price of mine, which d asks for; set MLPIPE_PRICES to {"mine": <US dollars an hour>}',
    ]);
    expect(issues(nodes)).toEqual([]);
    expect(issues([node("a", ["Standard_NC6s_v3", "Standard_NC4as_T4_v3"])], 5)).toEqual([]);
  });

  test("asks for no price of what is no job", () => {
    expect(issues([node("if", [], { kind: "if_else" })], 5)).toEqual([]);
  });
});
