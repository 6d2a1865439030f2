// How long it takes to validate and compile a pipeline of a thousand nodes, beside what reading its tokens takes of it, to start
// the command line for it, and to refuse hostile YAML. Medians of rounds that take turns.
// node bench/validate.ts [nodes]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Parser } from "yaml";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import type { FileSource } from "#shared/domain/file-source.ts";
import { loadPipeline, parsePipeline } from "#shared/domain/load-pipeline.ts";

const nodes = Number(process.argv[2] ?? 1000);
const freshRounds = 7;
const warmRounds = 7;

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

interface Cost {
  readonly elapsed: number;
  /** Of this thread: what others do on the machine does not count, what they do to its caches does. */
  readonly cpu: number;
}

async function measure(work: () => Promise<void> | void): Promise<Cost> {
  const start = performance.now();
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return { elapsed: performance.now() - start, cpu: (user + system) / 1000 };
}

const text = pipelineOf(nodes);
const source = inMemory({ "pipeline.yml": text, "step.yml": component });

async function validate(): Promise<void> {
  const { document, issues } = await loadPipeline("pipeline.yml", source);
  if (document === undefined || issues.length > 0)
    throw new Error(`the pipeline has issues: ${JSON.stringify(issues.slice(0, 3))}`);
  const result = await compilePlan(document, { inputs: {} });
  if (result.plan?.nodes.length !== nodes) throw new Error("the plan is not whole");
}

/** The library's part alone: the same text to its tokens, nothing made of them. */
function readTokensAlone(): void {
  if ([...new Parser().parse(text)].length !== 1) throw new Error("the library refuses the text");
}

// A process of its own each time, as the command line is: nothing is compiled or warm.
if (process.argv[3] === "once") {
  console.log(JSON.stringify(await measure(process.argv[4] === "library" ? readTokensAlone : validate)));
  process.exit();
}
function inFreshProcess(what: "whole" | "library"): Cost {
  const args = [import.meta.filename, String(nodes), "once", what];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Cost; // what stands above
}

const fresh = { whole: [] as Cost[], library: [] as Cost[] };
for (let round = 0; round < freshRounds; round++) {
  fresh.whole.push(inFreshProcess("whole"));
  fresh.library.push(inFreshProcess("library"));
}
const warm = { whole: [] as Cost[], library: [] as Cost[] };
for (let round = 0; round < warmRounds; round++) {
  warm.whole.push(await measure(validate));
  warm.library.push(await measure(readTokensAlone));
}
/** The whole command, from its start to its end, beside one that has nothing to do. */
const folder = mkdtempSync(join(tmpdir(), "mlpipe-bench-"));
writeFileSync(join(folder, "pipeline.yml"), text);
writeFileSync(join(folder, "step.yml"), component);
const command = { validate: [] as number[], version: [] as number[] };
const entry = join(import.meta.dirname, "../cli/mlpipe.js");
const elapsedOf = (...args: string[]) => {
  const start = performance.now();
  execFileSync(process.execPath, [entry, ...args]);
  return performance.now() - start;
};
for (let round = 0; round < freshRounds; round++) {
  command.validate.push(elapsedOf("validate", join(folder, "pipeline.yml")));
  command.version.push(elapsedOf("--version"));
}
rmSync(folder, { recursive: true });
const [load = 0] = loadavg();
console.log(
  `${nodes} nodes, ${(text.length / 1024).toFixed(0)} KB; load ${load.toFixed(1)} on ${availableParallelism()} cores`,
);
for (const [name, { whole, library }] of Object.entries({ "fresh process": fresh, "same process": warm })) {
  console.log(
    `${name}, ${whole.length} times: validated in ${summary(whole)}; of that its tokens alone ${summary(library)}`,
  );
}
console.log(
  `mlpipe validate, ${freshRounds} times: ${median(command.validate).toFixed(0)} ms; mlpipe --version: ${median(command.version).toFixed(0)} ms`,
);

function summary(costs: readonly Cost[]): string {
  const [elapsed, cpu] = [median(costs.map((cost) => cost.elapsed)), median(costs.map((cost) => cost.cpu))];
  return `${elapsed.toFixed(0)} ms (${cpu.toFixed(0)} ms CPU)`;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
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
