import { describe, expect, test } from "vitest";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { graphOf } from "#shared/domain/plan.ts";
import { formatIssue } from "#shared/errors.ts";

async function compile(promote: string, more = "", own = "") {
  const { document, issues } = await parsePipeline(
    `type: pipeline
settings:
  mlpipe:
    ${own}
    promote:
${promote
  .trim()
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n")}
inputs: { data: { type: uri_folder, path: "azureml://datastores/d/paths/x/" } }
outputs: { model: { type: mlflow_model }, lost: { type: uri_folder } }
jobs:
  prep:
    command: echo \${{inputs.data}} \${{outputs.table}} \${{outputs.rows}}
    environment: { image: busybox }
    inputs: { data: "\${{parent.inputs.data}}" }
    outputs: { table: { type: uri_folder }, rows: { type: integer }, index: { type: mltable } }
  train:
    command: echo
    environment: { image: busybox }
    inputs: { table: "\${{parent.jobs.prep.outputs.table}}" }
    outputs: { model: "\${{parent.outputs.model}}" }
  score:
    command: echo
    environment: { image: busybox }
    inputs: { model: "\${{parent.jobs.train.outputs.model}}", table: "\${{parent.jobs.prep.outputs.table}}" }
  decide: { type: if_else, condition: true, true_block: "\${{parent.jobs.side}}" }
  side: { command: echo, environment: { image: busybox } }
${more}`,
    { file: "p.yml" },
  );
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  const result = await compilePlan(document, { inputs: {} });
  const told = [...issues, ...(result.plan === undefined ? result.issues : result.warnings)];
  return { plan: result.plan, told: told.map(formatIssue).filter((line) => !line.includes(" outputs.lost")) };
}

const model = 'model: "${{parent.jobs.train.outputs.model}}"\nname: digits';

describe("what a pipeline says of promoting its model", () => {
  test("becomes a node that waits for all others and needs those that it reads", async () => {
    const { plan, told } = await compile(`${model}
stage: live
rules:
  - { node: score, metric: accuracy, at_least: 0.9 }
  - { node: score, metric: loss, better_than: champion, by: 0.1, goal: minimize }
approval: { timeout: 259200 }`);
    expect(told).toEqual([]);
    const node = plan?.nodes.at(-1);
    expect(node).toMatchObject({
      name: "promote",
      kind: "promote",
      inputs: {
        model: { kind: "output", node: "train", output: "model", type: "mlflow_model" },
        "score.table": { kind: "output", node: "prep", output: "table" },
      },
      promotion: {
        model: "digits",
        stage: "live",
        rules: [
          { kind: "limit", node: "score", metric: "accuracy", atLeast: 0.9 },
          { kind: "champion", node: "score", metric: "loss", by: 0.1, goal: "minimize", ifUnscorable: "reject" },
        ],
        approval: { timeoutSeconds: 259_200 },
      },
    });
    const graph = plan === undefined ? undefined : graphOf(plan).nodes.at(-1);
    expect(graph?.dependsOn.toSorted()).toEqual(["decide", "prep", "score", "side", "train"]);
    expect(graph?.optionalDependsOn?.toSorted()).toEqual(["decide", "side"]);
  });

  test("has a stage and a time of its own when it says none", async () => {
    const { plan } = await compile(`${model}\napproval: {}`);
    expect(plan?.nodes.at(-1)?.promotion).toEqual({
      model: "digits",
      stage: "production",
      rules: [],
      approval: { timeoutSeconds: 604_800 },
    });
  });

  test("may name an output of the pipeline", async () => {
    const { plan, told } = await compile('model: "${{parent.outputs.model}}"\nname: digits');
    expect(told).toEqual([]);
    expect(plan?.nodes.at(-1)?.inputs).toMatchObject({ model: { node: "train", output: "model" } });
  });

  test("has another name where a node has its own", async () => {
    const { plan } = await compile(model, "  promote: { command: echo, environment: { image: busybox } }\n");
    expect(plan?.nodes.at(-1)?.name).toBe("promote_2");
  });

  test("comes before the node that runs after all others", async () => {
    const { document } = await parsePipeline({
      type: "pipeline",
      settings: {
        on_finalize: "last",
        mlpipe: { promote: { model: "${{parent.jobs.train.outputs.model}}", name: "digits" } },
      },
      jobs: {
        last: { command: "echo", environment: { image: "busybox" } },
        train: {
          command: "echo",
          environment: { image: "busybox" },
          outputs: { model: { type: "uri_folder" } },
        },
      },
    });
    if (document === undefined) throw new Error("no document");
    const { plan } = await compilePlan(document, { inputs: {} });
    expect(plan?.nodes.map(({ name }) => name)).toEqual(["train", "promote", "last"]);
  });

  test.for([
    ["name: digits", "p.yml:5:5 settings.mlpipe.promote: a promotion needs a `model`"],
    ['model: "${{parent.jobs.train.outputs.model}}"', "p.yml:5:5 settings.mlpipe.promote: a promotion needs a `name`"],
    [
      "model: train.model\nname: digits",
      "p.yml:6:14 settings.mlpipe.promote.model: expected ${{parent.jobs.<node>.outputs.<name>}}",
    ],
    ['model: "${{parent.jobs.trian.outputs.model}}"\nname: d', "there is no node `trian`"],
    ['model: "${{parent.jobs.train.outputs.modle}}"\nname: d', "did you mean `model`"],
    ['model: "${{parent.outputs.modl}}"\nname: d', "the pipeline has no output `modl`"],
    ['model: "${{parent.outputs.lost}}"\nname: d', "no node makes the output `lost`"],
    ['model: "${{parent.inputs.data}}"\nname: d', "name an output of a node"],
    ['model: "${{parent.jobs.prep.outputs.rows}}"\nname: d', "`rows` of `prep` is a value of type integer"],
    ['model: "${{parent.jobs.prep.outputs.index}}"\nname: d', "`index` of `prep` is a table"],
    [
      'model: "${{parent.jobs.train.outputs.model}}"\nname: a/b',
      "p.yml:7:13 settings.mlpipe.promote.name: a model's name",
    ],
    [`${model}\nstage: archived`, "`archived` is what a former champion becomes"],
    [`${model}\nrules: [{ metric: a, at_least: 1 }]`, "a rule needs the `node`"],
    [`${model}\nrules: [{ node: score, at_least: 1 }]`, "a rule needs a `metric`"],
    [`${model}\nrules: [{ node: score, metric: a }]`, "a rule needs `at_least`, `at_most` or `better_than: champion`"],
    [`${model}\nrules: [{ node: skore, metric: a, at_least: 1 }]`, "did you mean `score`"],
    [`${model}\nrules: [{ node: decide, metric: a, at_least: 1 }]`, "control flow and logs no metrics"],
    [`${model}\nrules: [{ node: prep, metric: a, better_than: champion }]`, "`prep` does not read the model"],
    [`${model}\nrules: [{ node: score, metric: a, better_than: chamion }]`, "did you mean `champion`"],
    [`${model}\nrules: [{ node: score, metric: a, at_least: 1, better_than: champion }]`, "are two rules"],
    [`${model}\nrules: [{ node: score, metric: a, at_least: 2, at_most: 1 }]`, "no value is at least that"],
    [`${model}\nrules: [{ node: score, metric: a, at_least: .nan }]`, "expected a number, got the text `nan`"],
    [`${model}\nrules: [{ node: score, metric: a, better_than: champion, by: -1 }]`, "expected a number of 0 or more"],
    [`${model}\nrules: [{ node: score, metric: a, at_leas: 1 }]`, "did you mean `at_least`"],
    [`${model}\nrules: [{ node: score, metric: a, at_least: 1, by: 2 }]`, "`by` has no effect without `better_than`"],
    [`${model}\nrules: 3`, "expected a list"],
    [`${model}\napproval: { timeout: 3 days }`, "expected a whole number above 0"],
    [`${model}\napproval:`, "expected `timeout`"],
  ])("tells what is wrong with %j", async ([promote = "", message = ""]) => {
    const { told } = await compile(promote);
    expect(told.join("\n")).toContain(message);
  });

  test("is told when the run ends before anybody may answer", async () => {
    const { told } = await compile(`${model}\napproval: { timeout: 7200 }`, "", "limits: { run: 3600 }");
    expect(told.join("\n")).toContain("the run's own limit of 3600 s ends before the 7200 s of the wait");
  });

  test("is told to have no effect in a sub-pipeline", async () => {
    const inner = `  inner:
    type: pipeline
    component:
      type: pipeline
      settings: { mlpipe: { promote: { name: x } } }
      jobs: { a: { command: echo, environment: { image: busybox } } }
`;
    const { told } = await compile(model, inner);
    expect(told.join("\n")).toContain("`promote` has no effect in a sub-pipeline");
  });
});
