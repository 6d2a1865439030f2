// How long a pipeline takes whose every node is reused: run once, then again and again unchanged.
//
//   node bench/reuse.ts [nodes, default 100] [repeats, default 20]
//
// The graph is a chain of a tenth of the nodes with nine leaves on each link: deep and wide at once. A run's time is from sending
// the request until its document says `completed`.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "#local/stack.ts";

const count = Number(process.argv[2] ?? 100);
const repeats = Number(process.argv[3] ?? 20);

const reads = (node: string) => ({ inputs: { before: `\${{parent.jobs.${node}.outputs.after}}` } });
const jobs = Object.fromEntries(
  Array.from({ length: count }, (_, index) => {
    const link = index - (index % 10);
    const upstream = index % 10 === 0 ? link - 10 : link;
    const node = {
      type: "command",
      command: `echo ${index} > \${{outputs.after}}/number`,
      environment: { image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04" },
      outputs: { after: { type: "uri_folder" } },
      ...(upstream < 0 ? {} : reads(`n${upstream}`)),
    };
    return [
      `n${index}`,
      upstream < 0 ? node : { ...node, command: `cat \${{inputs.before}}/number && ${node.command}` },
    ];
  }),
);

interface RunDocument {
  readonly runId: string;
  readonly status: string;
  readonly nodes: readonly { readonly status: string }[];
}

const home = mkdtempSync(join(tmpdir(), "mlpipe-bench-"));
const stack = await startStack({ home });

async function call(path: string, body?: unknown): Promise<RunDocument> {
  const answer = await fetch(`${stack.url}/api/${path}`, {
    headers: { "x-functions-key": stack.key, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as RunDocument;
}

async function run(): Promise<{ ms: number; acceptedMs: number; document: RunDocument }> {
  const begun = performance.now();
  const { runId } = await call("runs", { pipeline: { type: "pipeline", name: "reuse_bench", jobs } });
  const acceptedMs = performance.now() - begun;
  for (;;) {
    const document = await call(`runs/${runId}`);
    if (document.status === "completed") return { ms: performance.now() - begun, acceptedMs, document };
    if (document.status !== "running" && document.status !== "queued")
      throw new Error(`it ended as ${document.status}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

try {
  const first = await run();
  console.log(`${count} nodes, ${cpus().length} cores. First run: ${(first.ms / 1000).toFixed(1)} s`);
  const runs: { ms: number; acceptedMs: number }[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const { ms, acceptedMs, document } = await run();
    const ran = document.nodes.filter(({ status }) => status !== "reused").length;
    if (ran > 0) throw new Error(`${ran} of ${count} nodes ran again`);
    runs.push({ ms, acceptedMs });
  }
  const at = (values: readonly number[], share: number) =>
    (values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? NaN).toFixed(0);
  const total = runs.map(({ ms }) => ms);
  const accepted = runs.map(({ acceptedMs }) => acceptedMs);
  console.log(`All reused, ${repeats} runs, ms: median ${at(total, 0.5)}  p90 ${at(total, 0.9)}  max ${at(total, 1)}`);
  console.log(`of which until the request was accepted: median ${at(accepted, 0.5)}`);
} finally {
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
}
