import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { loadPipeline, parsePipeline } from "#shared/domain/load-pipeline.ts";
import { graphOf, Plan, type PlanNode } from "#shared/domain/plan.ts";
import { formatIssue } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";

async function planOfFixture(): Promise<Plan> {
  const files = createFileSource(join(import.meta.dirname, "../../../fixtures/pipelines"));
  const { document, issues } = await loadPipeline("control/pipeline.yml", files);
  if (document === undefined || issues.length > 0) throw new Error(issues.map(formatIssue).join("\n"));
  const result = await compilePlan(document, { inputs: {} });
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  return Plan.parse(result.plan);
}

const find = (nodes: readonly PlanNode[] | undefined, name: string): PlanNode => {
  const node = nodes?.find((one) => one.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
};

async function problems(jobs: string, more = ""): Promise<string[]> {
  const { document, issues } = await parsePipeline(`type: pipeline\n${more}jobs:\n${jobs}`, { file: "p.yml" });
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  const result = await compilePlan(document, { inputs: {} });
  return (result.plan === undefined ? result.issues : result.warnings).map(formatIssue);
}

describe("control flow in a plan", () => {
  test("is a node of its own, and what it repeats is none of the run's", async () => {
    const plan = await planOfFixture();
    const names = ["prep", "each", "choose", "merge", "quick", "slow.first", "loop", "slow.second", "report"];
    expect(plan.nodes.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(Object.keys(plan.bodies ?? {}).toSorted()).toEqual(["each", "loop"]);
    expect(plan.outputs).toEqual({
      last: { node: "report", output: "artifacts" },
      all: { node: "each", output: "state" },
    });
  });

  test("a condition reads an output, and the nodes of its blocks wait for it", async () => {
    const plan = await planOfFixture();
    expect(find(plan.nodes, "choose")).toMatchObject({
      kind: "if_else",
      inputs: { condition: { kind: "output", node: "prep", output: "ok", literal: "boolean" } },
    });
    const conditions = plan.nodes.map(({ name, when }) => [name, when?.map(({ is }) => is)]);
    expect(Object.fromEntries(conditions)).toMatchObject({
      quick: [true],
      loop: [true],
      "slow.first": [false],
      "slow.second": [false],
      report: undefined,
    });
    expect(graphOf(plan).nodes.find(({ name }) => name === "quick")).toMatchObject({
      dependsOn: ["choose"],
      when: [{ node: "choose", is: true }],
    });
  });

  test("a loop's body reads what changes as outputs of the loop, and others read the body from the loop", async () => {
    const plan = await planOfFixture();
    expect(find(plan.nodes, "loop")).toMatchObject({
      kind: "do_while",
      loop: { body: "again", mapping: { state: ["state"], count: ["count"] }, condition: "goes_on", maxIterations: 5 },
      inputs: { state: { node: "prep", output: "state" }, count: { kind: "literal", value: "1" } },
      outputs: { state: { type: "uri_folder" }, count: { literal: "integer" } },
    });
    expect(find(plan.bodies?.["loop"]?.nodes, "again").inputs).toMatchObject({
      state: { kind: "output", node: "loop", output: "state", type: "uri_folder" },
      count: { kind: "output", node: "loop", output: "count", literal: "integer" },
      rate: { kind: "literal", value: "2" },
    });
    expect(plan.bodies?.["loop"]?.outputs["goes_on"]).toEqual({ node: "again", output: "goes_on" });
    expect(find(plan.nodes, "report").inputs).toMatchObject({
      state: { node: "loop", output: "state" },
      count: { node: "loop", output: "count", literal: "integer" },
    });
  });

  test("a loop over items gives its body their values, and gathers its outputs", async () => {
    const plan = await planOfFixture();
    expect(find(plan.nodes, "each").loop).toMatchObject({
      kind: "parallel_for",
      body: "every",
      items: [
        { name: "data:,a%20b", count: "data:,1" },
        { name: "data:,c", count: "data:,2" },
      ],
      maxConcurrency: 2,
    });
    const first = find(plan.bodies?.["each"]?.nodes, "every.first");
    expect(first.inputs).toMatchObject({
      state: { kind: "data", uri: "azureml://datastores/d/paths/seed/" },
      count: { node: "each", output: "count", literal: "integer" },
    });
    expect(plan.bodies?.["each"]?.outputs["count"]).toEqual({ node: "every.first", output: "count" });
    expect(find(plan.nodes, "merge").inputs).toMatchObject({
      all: { node: "each", output: "state", type: "mltable" },
      counts: { node: "each", output: "count", literal: "string" },
    });
  });
});

const step = `
  step:
    command: step \${{inputs.x}} $[[\${{inputs.data}}]] \${{outputs.next}} \${{outputs.on}} \${{outputs.data}}
    environment: azureml:e:1
    inputs: {x: 1, data: {type: uri_folder, path: "azureml://datastores/d/paths/x/"}}
    outputs: {next: {type: integer}, on: {type: boolean}, data: {type: uri_folder}}
  other: {command: other, environment: "azureml:e:1", outputs: {ok: {type: boolean}, data: {type: uri_folder}}}`;
const loop = (fields: string) => `${step}
  loop:
    type: do_while
    ${fields.replaceAll("\n", "\n    ")}`;
const whole = (fields: Record<string, string | undefined>) =>
  loop(
    Object.entries({
      body: "${{parent.jobs.step}}",
      condition: "on",
      mapping: "{next: x}",
      limits: "{max_iteration_count: 3}",
      ...fields,
    })
      .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]))
      .join("\n"),
  );

describe("a do_while", () => {
  test("is valid with names or bindings of its body's ports", async () => {
    expect(await problems(whole({}))).toEqual([]);
    const bound = {
      condition: "${{parent.jobs.step.outputs.on}}",
      mapping: "{'${{parent.jobs.step.outputs.next}}': [x]}",
    };
    expect(await problems(whole(bound))).toEqual([]);
    expect(await problems(whole({ condition: "true", mapping: undefined }))).toEqual([]);
  });

  test.each([
    [{ body: undefined }, "jobs.loop: a loop needs `body: ${{parent.jobs.<name>}}`"],
    [{ body: "step" }, "jobs.loop.body: a loop needs `body"],
    [{ body: "${{parent.jobs.stp}}" }, "jobs.loop.body: there is no node `stp` (did you mean `step`?)"],
    [{ body: "${{parent.jobs.loop}}" }, "jobs.loop.body: a node cannot name itself here"],
    [{ condition: undefined }, "jobs.loop: a loop needs `condition`"],
    [{ condition: "false" }, "jobs.loop.condition: a loop whose condition is false never repeats"],
    [{ condition: "onn" }, "jobs.loop.condition: the body `step` has no output `onn` (did you mean `on`?)"],
    [{ condition: "data" }, "jobs.loop.condition: expected an output of type boolean, and `data` is data"],
    [{ condition: "next" }, "jobs.loop.condition: expected an output of type boolean, and `next` is a integer"],
    [{ condition: "${{parent.jobs.other.outputs.ok}}" }, "jobs.loop.condition: expected an output of the body `step`"],
    [{ mapping: "{nxt: x}" }, "jobs.loop.mapping.nxt: the body `step` has no output `nxt` (did you mean `next`?)"],
    [{ mapping: "{next: y}" }, "jobs.loop.mapping.next: the body `step` has no input `y`"],
    [{ mapping: "{next: x, data: [x]}" }, "jobs.loop.mapping.data.0: the input `x` already reads the output `next`"],
    [{ limits: undefined }, "jobs.loop: a loop needs `limits.max_iteration_count`"],
    [{ limits: "{max_iteration_count: 1001}" }, "max_iteration_count: a loop runs 1000 times at most"],
    [{ limits: "{max_iteration_count: 0}" }, "max_iteration_count: expected a whole number above 0"],
  ])("tells what is wrong: %o", async (fields, expected) => {
    const told = await problems(whole(fields));
    expect(told.filter((line) => line.includes(expected))).toHaveLength(1);
  });

  test("does not repeat what another loop or a condition has already", async () => {
    const twice = `${whole({})}\n  again: {type: do_while, body: "\${{parent.jobs.step}}", condition: true, limits: {max_iteration_count: 2}}`;
    expect((await problems(twice)).join()).toContain("jobs.again.body: `step` is already the body of the loop `loop`");
    const blocked = `${whole({})}\n  choose: {type: if_else, condition: true, true_block: "\${{parent.jobs.step}}"}`;
    expect((await problems(blocked)).join()).toContain(
      "jobs.choose.true_block: `step` is already the body of the loop `loop`",
    );
    const nested = `${whole({})}\n  outer: {type: do_while, body: "\${{parent.jobs.loop}}", condition: true, limits: {max_iteration_count: 2}}`;
    expect((await problems(nested)).join()).toContain(
      "jobs.outer.body: `loop` is control flow itself; put it into a pipeline",
    );
  });

  test("whose body waits for it is a cycle", async () => {
    const jobs = whole({}).replace("x: 1", "x: '${{parent.jobs.step.outputs.next}}'");
    expect((await problems(jobs)).join()).toContain("the nodes wait for each other: loop -> loop");
  });

  test("whose body writes to one place each time is refused", async () => {
    const jobs = whole({}).replace(
      "data: {type: uri_folder}}",
      "data: {type: uri_folder, path: 'azureml://datastores/d/paths/o/'}}",
    );
    expect((await problems(jobs)).join()).toContain("needs ${{name}} in it to be another each time");
  });
});

describe("an if_else", () => {
  const choose = (fields: string) => `${step}\n  choose: {type: if_else, ${fields}}`;

  test("is valid with a literal, an output of type boolean, or an input of the pipeline", async () => {
    const block = 'true_block: "${{parent.jobs.step}}"';
    expect(await problems(choose(`condition: true, ${block}`))).toEqual([]);
    expect(await problems(choose(`condition: "\${{parent.jobs.other.outputs.ok}}", ${block}`))).toEqual([]);
    expect(
      await problems(choose(`condition: "\${{parent.inputs.fast}}", ${block}`), "inputs: {fast: false}\n"),
    ).toEqual([]);
  });

  test.each([
    ['true_block: "${{parent.jobs.step}}"', "jobs.choose: a condition needs `condition`"],
    ["condition: true", "jobs.choose: a condition needs a `true_block` or a `false_block`"],
    [
      "condition: true, true_block: step",
      "jobs.choose.true_block: expected ${{parent.jobs.<name>}}, got the text `step`",
    ],
    ['condition: true, true_block: ["${{parent.jobs.stepp}}"]', "jobs.choose.true_block.0: there is no node `stepp`"],
    [
      'condition: true, true_block: "${{parent.jobs.step}}", false_block: ["${{parent.jobs.step}}"]',
      "jobs.choose.false_block.0: `step` cannot be in both blocks",
    ],
    [
      'condition: perhaps, true_block: "${{parent.jobs.step}}"',
      "jobs.choose.condition: expected true, false or an output",
    ],
    [
      'condition: "${{parent.jobs.other.outputs.data}}", true_block: "${{parent.jobs.step}}"',
      "jobs.choose.condition: expected true, false or an output of type boolean, got an output that is data",
    ],
    [
      'condition: "${{parent.jobs.step.outputs.on}}", true_block: "${{parent.jobs.step}}"',
      "the nodes wait for each other",
    ],
  ])("tells what is wrong: %s", async (fields, expected) => {
    expect((await problems(choose(fields))).join("\n")).toContain(expected);
  });
});

describe("a parallel_for", () => {
  const each = (fields: string, more = "") =>
    `${step}\n  each: {type: parallel_for, body: "\${{parent.jobs.step}}", ${fields}}${more}`;

  test("takes items as a list, by name, as JSON, from an input or from another node", async () => {
    expect(await problems(each("items: [{x: 1}, {x: b}]"))).toEqual([]);
    expect(await problems(each("items: {one: {x: 1}, two: {x: 2}}"))).toEqual([]);
    expect(await problems(each(`items: '[{"x": 1}]'`))).toEqual([]);
    const input = "inputs: {list: '[{\"x\": 1}]'}\n";
    expect(await problems(each('items: "${{parent.inputs.list}}"'), input)).toEqual([]);
    const made = each('items: "${{parent.jobs.list.outputs.text}}"');
    const list = `\n  list: {command: "list \${{outputs.text}}", environment: "azureml:e:1", outputs: {text: {type: string}}}`;
    expect(await problems(made + list)).toEqual([]);
    const file = "items: [{data: {type: uri_folder, path: 'azureml://datastores/d/paths/1/'}}]";
    expect(await problems(each(file))).toEqual([]);
  });

  test.each([
    ["items: ", "jobs.each: a loop over items needs `items`"],
    ["items: []", "jobs.each.items: there is no item"],
    ["items: [1, 2]", "jobs.each.items: expected item 1 to be a mapping of inputs, got `1`"],
    ["items: 5", "jobs.each.items: expected a list of mappings, got `5`"],
    ["items: '[1'", "jobs.each.items: expected a list of mappings as JSON"],
    [
      "items: [{x: 1}, {data: 2}]",
      "jobs.each.items.0: every item has to give the same inputs, and this one has no `data`",
    ],
    [`items: [${"{x: 1}, ".repeat(1001)}]`, "jobs.each.items: there are 1001 items; a loop runs 1000 times at most"],
    [
      'items: [{x: "${{parent.jobs.other.outputs.ok}}"}]',
      "jobs.each.items.0.x: an item cannot read another node's output",
    ],
    ['items: "${{parent.jobs.other.outputs.data}}"', "jobs.each.items: expected an output of type string, or a file"],
    [
      "items: [{x: 1}], outputs: {data: {path: 'azureml://datastores/d/paths/o/'}}",
      "jobs.each.outputs.data: what is gathered",
    ],
    ["items: [{x: 1}], max_concurrency: 0", "jobs.each.max_concurrency: expected a whole number above 0"],
  ])("tells what is wrong: %s", async (fields, expected) => {
    expect((await problems(each(fields))).join("\n")).toContain(expected);
  });

  test("tells that one of many outputs cannot be read", async () => {
    const more =
      '\n  merge: {command: "m ${{inputs.d}}", environment: "azureml:e:1", inputs: {d: "${{parent.jobs.step.outputs.data}}"}}';
    expect((await problems(each("items: [{x: 1}]", more))).join()).toContain(
      "jobs.merge.inputs.d: `step` runs once for each item of `each`; read all of them from ${{parent.jobs.each.outputs.data}}",
    );
  });

  const declared = `
  step:
    component:
      {type: command, name: s, command: "s \${{inputs.n}} \${{inputs.data}}", environment: "azureml:e:1", inputs: {n: {type: integer, max: 5}, data: {type: uri_folder}}}
    inputs: {data: "azureml://datastores/d/paths/x/"}
  each: {type: parallel_for, body: "\${{parent.jobs.step}}", `;

  test.each([
    ["items: [{n: 9}]}", "jobs.each.items.0.n: 9 is above the maximum 5"],
    ["items: [{n: a}]}", "jobs.each.items.0.n: expected a whole number, got the text `a`"],
    ["items: [{m: 1}]}", "jobs.each.items.0.m: the body `step` has no input `m`"],
    [
      "items: [{data: 'azureml://datastores/d/paths/y/'}]}",
      "jobs.step: the required input `n` (a integer) has no value",
    ],
    ["items: [{n: 1, data: 3}]}", "jobs.each.items.0.data: expected data (uri_folder), got `3`"],
  ])("checks values by the body's declarations: %s", async (rest, expected) => {
    expect((await problems(declared + rest)).join("\n")).toContain(expected);
  });

  test("checks that items of a pipeline's input give what the body needs", async () => {
    const more = 'inputs: {list: \'[{"data": "azureml://datastores/d/paths/y/"}]\'}\n';
    expect((await problems(`${declared}items: "\${{parent.inputs.list}}"}`, more)).join()).toContain(
      "jobs.each.items: the items give no `n`, which the body `step` needs",
    );
  });
});

describe("the nodes that settings name", () => {
  const jobs = `
  a: {command: a, environment: "azureml:e:1", outputs: {o: {type: uri_folder}}}
  b: {command: "b \${{inputs.i}}", environment: "azureml:e:1", inputs: {i: "\${{parent.jobs.a.outputs.o}}"}}
  c: {command: c, environment: "azureml:e:1"}
  choose: {type: if_else, condition: true, true_block: "\${{parent.jobs.c}}"}`;

  test.each([
    ["{on_init: x}", "p.yml:2:21 settings.on_init: there is no node `x`"],
    ["{on_init: b}", "settings.on_init: `b` reads other nodes' outputs, which this node cannot"],
    ["{on_finalize: a}", "settings.on_finalize: `b` reads an output of `a`, which runs after all others"],
    ["{on_init: a, on_finalize: a}", "settings.on_finalize: `a` cannot be both the first node and the last"],
    ["{on_finalize: c}", "settings.on_finalize: `c` is part of control flow, which runs it"],
  ])("%s is refused", async (settings, expected) => {
    expect((await problems(jobs, `settings: ${settings}\n`)).join("\n")).toContain(expected);
  });

  test("have no effect in a sub-pipeline, which is told", async () => {
    const inner = `
  sub:
    component: {type: pipeline, settings: {on_init: a}, jobs: {a: {command: a, environment: "azureml:e:1"}}}
    type: pipeline`;
    expect((await problems(inner)).join()).toContain(
      "jobs.sub.component.settings.on_init: `on_init` has no effect in a sub-pipeline",
    );
  });

  test("need another beside them", async () => {
    const alone = '\n  a: {command: a, environment: "azureml:e:1"}';
    expect((await problems(alone, "settings: {on_init: a}\n")).join()).toContain(
      "jobs: beside the first node and the last",
    );
  });
});
