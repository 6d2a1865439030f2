// What `mlpipe export` prints of our YAML keeps to Azure ML's schema; kinds.test.ts and export.test.ts ask the same of TypeScript.
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { moveYaml } from "#shared/domain/move-yaml.ts";
import { createFileSource } from "#shared/files.ts";
import { schemaProblems } from "./azureml-schema.ts";

const root = join(import.meta.dirname, "../..");
const files = createFileSource("/");
const pipelines = await Array.fromAsync(
  glob(
    [
      "pipelines/*.yml",
      "test/suite/pipelines/*.yml",
      "test/fixtures/pipelines/{control,flow,kinds,nested}/pipeline.yml",
    ],
    {
      cwd: root,
    },
  ),
);
/** What mlpipe takes beyond Azure ML. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  "test/fixtures/pipelines/control/pipeline.yml": ['.inputs.fast: Unrecognized key: "default"'],
  "test/fixtures/pipelines/kinds/pipeline.yml": [
    ".jobs.search.early_termination.slack_factor: Invalid input: expected number, received string",
  ],
};

test.each(pipelines)("%s keeps to Azure ML's schema", async (path) => {
  const text = await moveYaml(join(root, path), { files, folder: root, isInline: true });
  expect(schemaProblems(text)).toEqual(beyond[path] ?? []);
});

describe("the schema has something against", () => {
  const component = "{type: command, name: c, environment: e, command: run, inputs: {x: {type: integer}}}";
  const job = (node: string, more = "") =>
    `type: pipeline\ninputs: {n: 3}\noutputs: {o: {type: uri_file}}\n${more}\njobs: {a: ${node}}`;
  test.each([
    ["a misspelt field", job(`{component: ${component}, input: {x: 3}}`)],
    ["an output's field that is an input's", job(`{component: ${component}, outputs: {y: {mode: download}}}`)],
    ["a declaration in a job", job(`{component: ${component}}`, "settings: {default_compute: 3}")],
    ["a name in capitals", "type: pipeline\njobs: {Train: {component: ./c.yml}}"],
    ["an input that is not there", job(`{component: ${component}, inputs: {x: "\${{parent.inputs.m}}"}}`)],
    ["a node that is not there", job(`{component: ${component}, inputs: {x: "\${{parent.jobs.b.outputs.y}}"}}`)],
    ["an output in another field", job(`{component: ${component}, compute: "\${{parent.jobs.a.outputs.y}}"}`)],
    ["a part of a binding", job(`{component: ${component}, inputs: {x: "n \${{parent.inputs.n}}"}}`)],
    ["a sweep without a goal", job(`{type: sweep, trial: ${component}, search_space: {x: {type: randint, upper: 3}}}`)],
    ["a loop without a limit", job(`{type: do_while, body: "\${{parent.jobs.a}}", condition: true}`)],
    ["a component without a command", job("{component: {type: command, name: c, environment: e}}")],
    ["another kind's component", job("{type: pipeline, component: {type: spark}}")],
  ])("%s", (_, yaml) => {
    expect(schemaProblems(yaml)).not.toEqual([]);
  });
});
