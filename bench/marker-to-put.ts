// From the end marker's commit to the next node's PUT arriving at the workspace: what mlpipe itself adds between two jobs.
//
//   node bench/marker-to-put.ts [chain length, default 51]
//
// One run of a chain of no-op shell nodes on an embedded stack of its own. The commit's time is the BlobCreated event's, stamped
// when the blob service has answered; the PUT's is stamped by the workspace when the request arrives. Both read one clock.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "#local/stack.ts";
import { parseEndMarkerPath } from "#shared/domain/layout.ts";
import { createControls } from "#test/suite/controls.ts";

const length = Number(process.argv[2] ?? 51);
const home = mkdtempSync(join(tmpdir(), "mlpipe-bench-"));
const stack = await startStack({ home });

const jobs = Object.fromEntries(
  Array.from({ length }, (_, index) => [
    `n${index}`,
    {
      type: "command",
      command: `${index === 0 ? "true" : "cat ${{inputs.before}}/x > /dev/null"} && echo ${index} > \${{outputs.after}}/x`,
      environment: { image: "busybox" },
      ...(index === 0 ? {} : { inputs: { before: `\${{parent.jobs.n${index - 1}.outputs.after}}` } }),
      outputs: { after: { type: "uri_folder" } },
    },
  ]),
);

try {
  const headers = { "x-functions-key": stack.key, "content-type": "application/json" };
  const started = await fetch(`${stack.url}/api/runs`, {
    method: "POST",
    headers,
    body: JSON.stringify({ pipeline: { type: "pipeline", jobs } }),
  });
  if (started.status !== 202) throw new Error(await started.text());
  const { runId } = (await started.json()) as { runId: string };
  const begun = performance.now();
  for (;;) {
    const answer = await fetch(`${stack.url}/api/runs/${runId}`, { headers });
    const { status } = (await answer.json()) as { status: string };
    if (status === "completed") break;
    if (status !== "running" && status !== "queued") throw new Error(`the run ended as ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  console.log(`${length} nodes in a chain: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const { markers, puts } = await readTimes(runId);
  const gaps = Array.from(
    { length: length - 1 },
    (_, index) => (puts.get(index + 1) ?? NaN) - (markers.get(index) ?? NaN),
  ).toSorted((a, b) => a - b);
  const at = (share: number) => (gaps[Math.floor(share * (gaps.length - 1))] ?? NaN).toFixed(1);
  console.log(
    `marker committed -> next PUT received, ${gaps.length} gaps, ms: median ${at(0.5)}  p90 ${at(0.9)}  min ${at(0)}  max ${at(1)}`,
  );
} finally {
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
}

/** Milliseconds since 1970 by node index. */
async function readTimes(runId: string): Promise<{ markers: Map<number, number>; puts: Map<number, number> }> {
  const controls = createControls(stack);
  const markers = new Map<number, number>();
  for (const { blob, committedAtMs } of await controls.commits()) {
    const place = parseEndMarkerPath(blob);
    if (place?.runId === runId) markers.set(Number(place.node.slice(1)), committedAtMs);
  }
  const puts = new Map<number, number>();
  for (const { jobName, receivedAtMs } of await controls.jobPuts(runId)) {
    puts.set(Number(/-n(\d+)-1$/.exec(jobName)?.[1]), receivedAtMs);
  }
  return { markers, puts };
}
