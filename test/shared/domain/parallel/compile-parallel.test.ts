import { describe, expect, test } from "vitest";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";

const valid = {
  inputs: "{files: {type: uri_folder, path: 'azureml://datastores/d/paths/files/'}, rate: 0.5}",
  outputs: "{rows: {type: uri_file}}",
  input_data: "${{inputs.files}}",
  mini_batch_size: "'5'",
};
const task = {
  entry_script: "batch.py",
  code: "azureml:code:1",
  environment: "azureml:e:1",
  program_arguments: "--rate ${{inputs.rate}}",
  append_row_to: "${{outputs.rows}}",
};
type Fields = Record<string, string | undefined>;

async function compile(fields: Fields = {}, taskFields: Fields = {}) {
  const lines = (entries: Fields, indent: string) =>
    Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [`${indent}${key}: ${value}`]));
  const node = lines({ ...valid, ...fields }, "    ");
  const inner = lines({ ...task, ...taskFields }, "      ");
  const text = ["type: pipeline", "jobs:", "  each:", "    type: parallel", "    task:", ...inner, ...node];
  const { document, issues } = await parsePipeline(text.join("\n"), { file: "p.yml" });
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return compilePlan(document, { inputs: {} });
}

async function problems(fields: Fields, taskFields: Fields = {}): Promise<string[]> {
  const compiled = await compile(fields, taskFields);
  return (compiled.plan === undefined ? compiled.issues : compiled.warnings).map(formatIssue);
}

describe("a parallel node", () => {
  test("becomes one command job over its input", async () => {
    const { plan } = await compile({
      resources: "{instance_type: Standard_DS3_v2}",
      max_concurrency_per_instance: "3",
    });
    const [node] = plan?.nodes ?? [];
    expect(node).toMatchObject({
      name: "each",
      kind: "command",
      code: { kind: "asset", id: "azureml:code:1" },
      environment: { kind: "asset", id: "azureml:e:1" },
      inputs: { files: { kind: "data", type: "uri_folder" }, rate: { kind: "literal", value: "0.5" } },
      outputs: { rows: { type: "uri_file" } },
      resources: { instanceTypes: ["Standard_DS3_v2"], instanceCount: 1 },
    });
    const last = node?.command.split("\n").find((line) => line.startsWith("python "));
    expect(last).toContain(
      '--input="${{inputs.files}}" --files_per_batch=5 --concurrency=3 --max_retries=2 --timeout=60',
    );
    expect(last).toContain('--append_row_to="${{outputs.rows}}" -- --rate "${{inputs.rate}}"');
  });

  test("of a component takes what the node says before what its component says", async () => {
    const component = `
      type: parallel
      name: scorer
      inputs: {files: {type: uri_folder}, rate: {type: number, default: 1}}
      outputs: {rows: {type: uri_folder}}
      input_data: \${{inputs.files}}
      mini_batch_size: 10kb
      retry_settings: {max_retries: 0, timeout: 7}
      task:
        type: run_function
        code: azureml:code:1
        entry_script: batch.py
        environment: azureml:e:1
        append_row_to: \${{outputs.rows}}`;
    const text = `
type: pipeline
jobs:
  each:
    inputs: {files: {type: uri_folder, path: 'azureml://datastores/d/paths/files/'}}
    mini_batch_size: 2
    component: ${component}
`;
    const { document, issues } = await parsePipeline(text);
    expect(issues).toEqual([]);
    const { plan } = await compilePlan(document ?? { type: "pipeline" }, { inputs: {} });
    const command = plan?.nodes[0]?.command ?? "";
    expect(command).toContain("--files_per_batch=2 --max_retries=0 --timeout=7");
    expect(command).toContain('--append_row_to="${{outputs.rows}}"/parallel_run_step.txt');
    expect(plan?.nodes[0]?.component).toEqual({ name: "scorer" });
  });

  test.each<[Fields, Fields, string]>([
    [{ input_data: undefined }, {}, "p.yml:4:5 jobs.each: a parallel node needs `input_data"],
    [{ input_data: "${{inputs.filez}}" }, {}, "there is no input `filez` (did you mean `files`?)"],
    [{ input_data: "${{inputs.rate}}" }, {}, "`rate` is a literal"],
    [{ mini_batch_size: "many" }, {}, "jobs.each.mini_batch_size: expected a number of files such as `5`"],
    [{ mini_batch_size: "0" }, {}, "expected a number of files"],
    [{ error_threshold: "-2" }, {}, "jobs.each.error_threshold: expected a number of failures"],
    [{ retry_settings: "{timeout: 0}" }, {}, "jobs.each.retry_settings.timeout: expected seconds"],
    [{ retry_settings: "{max_retries: -1}" }, {}, "jobs.each.retry_settings.max_retries: expected a number of retries"],
    [{ logging_level: "loud" }, {}, "expected one of `info`, `warning`, `debug`"],
    [{}, { entry_script: undefined }, "jobs.each.task: a parallel node needs `task.entry_script`"],
    [{}, { type: "model" }, "jobs.each.task.type: expected `run_function`"],
    [{}, { environment: undefined }, "jobs.each: has no `environment`"],
    [{}, { append_row_to: "rows.txt" }, "jobs.each.task.append_row_to: expected `${{outputs.<name>}}`"],
    [
      {},
      { append_row_to: "${{outputs.row}}" },
      "jobs.each.task.append_row_to: there is no output `row` (did you mean `rows`?)",
    ],
    [{}, { program_arguments: "--x 'y" }, "jobs.each.task.program_arguments: a quote is not closed"],
    [
      {},
      { program_arguments: "--x ${{inputs.rat}}" },
      "jobs.each.task.program_arguments: `${{inputs.rat}}`: there is no",
    ],
    [{ resources: "{instance_count: 3}" }, {}, "jobs.each.resources.instance_count: all mini-batches run in"],
  ])("tells what is wrong: %o %o", async (fields, taskFields, expected) => {
    expect((await problems(fields, taskFields)).join("\n")).toContain(expected);
  });

  test.each([
    [{ partition_keys: "[store]" }, "by `partition_keys`"],
    [
      { inputs: "{files: {type: mltable, path: 'azureml://datastores/d/paths/t/', mode: direct}, rate: 1}" },
      "over the rows of an mltable",
    ],
  ])("is planned and refused where only Azure ML can split: %o", async (fields, expected) => {
    const result = await compile(fields);
    expect(result.plan?.nodes[0]?.refusal).toContain(expected);
    expect(result.plan === undefined ? [] : result.refusals.map(({ message }) => message)).toEqual([
      expect.stringContaining(`node \`each\` cannot run: it is a parallel job ${expected}`),
    ]);
  });

  test("splits an mltable of files that the service delivers", async () => {
    const inputs = "{files: {type: mltable, path: 'azureml://datastores/d/paths/t/', mode: eval_mount}, rate: 1}";
    expect((await compile({ inputs })).plan?.nodes).toHaveLength(1);
  });
});
