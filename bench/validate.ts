// How long it takes to validate and compile a pipeline of a thousand nodes, and to refuse hostile YAML.
// node bench/validate.ts [nodes]
import { compilePlan } from "#shared/domain/compile-plan.ts";
import type { FileSource } from "#shared/domain/file-source.ts";
import { loadPipeline, parsePipeline } from "#shared/domain/load-pipeline.ts";

const nodes = Number(process.argv[2] ?? 1000);
const rounds = 7;

const component = `
name: step
type: command
inputs:
  data: {type: uri_folder}
  rate: {type: number, default: 1e-3, min: 0, max: 1}
  mode: {type: string, default: fast, enum: [fast, slow]}
outputs:
  result: {type: uri_folder}
environment: azureml:tools:1
command: python step.py --data \${{inputs.data}} --rate \${{inputs.rate}} --mode \${{inputs.mode}} --result \${{outputs.result}}
`;

function pipelineOf(count: number): string {
  const lines = [
    "type: pipeline",
    "inputs:",
    "  source: {type: uri_folder, path: 'azureml:source:1'}",
    "  rate: 0.1",
    "jobs:",
  ];
  for (let index = 0; index < count; index++) {
    const data =
      index === 0 ? "parent.inputs.source" : `parent.jobs.step_${Math.floor((index - 1) / 2)}.outputs.result`;
    lines.push(
      `  step_${index}:`,
      "    type: command",
      "    component: ./step.yml",
      "    compute: azureml:cpu-cluster",
      "    inputs:",
      `      data: \${{${data}}}`,
      "      rate: ${{parent.inputs.rate}}",
      "    resources: {instance_count: 1, instance_type: Standard_DS3_v2}",
      "    limits: {timeout: 3600}",
    );
  }
  return `${lines.join("\n")}\n`;
}

function inMemory(texts: Readonly<Record<string, string>>): FileSource {
  return {
    readText: async (path) => texts[path],
    list: async () => undefined,
    kind: async (path) => (path in texts ? "file" : undefined),
  };
}

const source = inMemory({ "pipeline.yml": pipelineOf(nodes), "step.yml": component });
const times: number[] = [];
const cpuTimes: number[] = [];
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  const cpuStart = process.threadCpuUsage();
  const { document, issues } = await loadPipeline("pipeline.yml", source);
  if (document === undefined || issues.length > 0)
    throw new Error(`the pipeline has issues: ${JSON.stringify(issues.slice(0, 3))}`);
  const result = await compilePlan(document, { inputs: {} });
  if (result.plan?.nodes.length !== nodes) throw new Error("the plan is not whole");
  times.push(performance.now() - start);
  const cpu = process.threadCpuUsage(cpuStart);
  cpuTimes.push((cpu.user + cpu.system) / 1000);
}
console.log(`${nodes} nodes, elapsed: ${summary(times)}`);
console.log(`${nodes} nodes, on the CPU: ${summary(cpuTimes)}`);

function summary([first = 0, ...later]: readonly number[]): string {
  const median = later.toSorted((left, right) => left - right)[Math.floor(later.length / 2)] ?? first;
  return `first ${first.toFixed(0)} ms, then median ${median.toFixed(0)} ms of ${later.length}`;
}

const aliases = ["a: &a [x, x, x, x, x, x, x, x, x]"];
for (let level = 1; level < 10; level++)
  aliases.push(`${"abcdefghij"[level]}: &${"abcdefghij"[level]} [${`*${"abcdefghij"[level - 1]},`.repeat(9)}]`);
const hostile: Readonly<Record<string, string>> = {
  "an alias bomb": aliases.join("\n"),
  "10 MB of nesting": "[".repeat(10_000_000),
  "4 MB of nesting": "[".repeat(4_000_000),
  "2 MB of nested blocks": "- ".repeat(1_000_000),
  "4 MB of list entries": `a: [${"1,".repeat(2_000_000)}]`,
  "60,000 keys": Array.from({ length: 60_000 }, (_, index) => `k${index}: v`).join("\n"),
  "an anchor that holds itself": "a: &a {b: *a}",
  "UTF-16 read as UTF-8": "type: pipeline".split("").join("\0"),
};
for (const [name, text] of Object.entries(hostile)) {
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const { issues } = await parsePipeline(text);
  const grown = Math.max(0, (process.memoryUsage().rss - before) / 1e6);
  console.log(
    `${name}: ${(performance.now() - start).toFixed(0)} ms, ${grown.toFixed(0)} MB, «${issues[0]?.message.slice(0, 70) ?? "accepted"}»`,
  );
}
