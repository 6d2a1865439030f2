import { describe, expect, test } from "vitest";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";

const valid = {
  trial:
    "{command: 'train --lr ${{inputs.lr}} --kind ${{search_space.kind}} --out ${{outputs.model}}', environment: 'azureml:e:1'}",
  search_space: "{lr: {type: loguniform, min_value: 1e-3, max_value: 2}, kind: {type: choice, values: [a, b]}}",
  objective: "{goal: maximize, primary_metric: acc}",
  limits: "{max_total_trials: 8, max_concurrent_trials: 3, timeout: 60}",
  outputs: "{model: {type: uri_folder}}",
};

async function compile(fields: Record<string, string | undefined>) {
  const entries = Object.entries({ ...valid, ...fields }).flatMap(([key, value]) =>
    value === undefined ? [] : [`    ${key}: ${value}`],
  );
  const { document, issues } = await parsePipeline(
    ["type: pipeline", "jobs:", "  tune:", "    type: sweep", ...entries].join("\n"),
    {},
  );
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return compilePlan(document, { inputs: {} });
}

async function problems(fields: Record<string, string | undefined>): Promise<string[]> {
  const compiled = await compile(fields);
  return compiled.plan === undefined ? compiled.issues.map(formatIssue) : [];
}

describe("a sweep in YAML", () => {
  test("becomes its trial with what is searched beside it", async () => {
    const { plan } = await compile({
      early_termination: "{type: bandit, slack_factor: 0.1}",
      sampling_algorithm: "{type: random, rule: sobol, seed: 3}",
    });
    const [node] = plan?.nodes ?? [];
    expect(node?.kind).toBe("sweep");
    expect(node?.command).toContain("--kind ${{inputs.kind}}");
    expect(node?.timeoutSeconds).toBeUndefined();
    expect(node?.sweep).toMatchObject({
      searchSpace: { lr: { type: "loguniform", min_value: 0.001, max_value: 2 }, kind: { values: ["a", "b"] } },
      sampling: { type: "random", rule: "sobol", seed: 3 },
      objective: { goal: "maximize", primaryMetric: "acc" },
      limits: { maxTotalTrials: 8, maxConcurrentTrials: 3, timeoutSeconds: 60 },
      earlyTermination: { type: "bandit", slack_factor: 0.1 },
    });
  });

  test("over a grid has no more trials than points", async () => {
    const { plan } = await compile({
      search_space: "{lr: {type: choice, values: [1, 2]}, kind: {type: choice, values: [a, b]}}",
      sampling_algorithm: "grid",
    });
    expect(plan?.nodes[0]?.sweep?.limits).toMatchObject({ maxTotalTrials: 4, maxConcurrentTrials: 3 });
  });

  test.each([
    [{ trial: undefined }, "a sweep needs a `trial`"],
    [{ objective: "{goal: best, primary_metric: acc}" }, "`goal: minimize` or `goal: maximize`"],
    [{ objective: undefined }, "`primary_metric`"],
    [{ limits: "{max_concurrent_trials: 2}" }, "`limits.max_total_trials`"],
    [{ search_space: "{}" }, "at least one input"],
    [{ search_space: "{lr: {type: uniform, min_value: 2, max_value: 1}}" }, "`min_value` must be below"],
    [{ search_space: "{lr: {type: gauss}}" }, "search_space.lr"],
    [{ sampling_algorithm: "grid" }, "grid sampling takes `choice` alone"],
    [{ sampling_algorithm: "clever" }, "sampling_algorithm"],
    [{ early_termination: "{type: bandit}" }, "`slack_factor` or `slack_amount`"],
  ])("%j is told: %s", async (fields, told) => {
    expect((await problems(fields)).join("\n")).toContain(told);
  });

  test("with a searched name that the trial does not have is told the nearest", async () => {
    const trial =
      "{inputs: {rate: {type: number}, kind: {type: string}}, command: 'x ${{inputs.rate}} ${{inputs.kind}}', environment: 'azureml:e:1'}";
    const told = await problems({
      trial,
      outputs: undefined,
      search_space: "{ratte: {type: uniform, min_value: 0, max_value: 1}}",
    });
    expect(told.join("\n")).toContain("the trial has no input `ratte` (did you mean `rate`?)");
  });
});
