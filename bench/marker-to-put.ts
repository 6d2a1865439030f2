// From the end marker's commit to the next node's PUT arriving at the workspace: what mlpipe itself adds between two jobs.
//
//   node bench/marker-to-put.ts [chain length, 51 when not said]
//
// One run of a chain of no-op shell nodes on an embedded stack of its own. The commit is stamped by the storage account when the
// blob service has answered, the PUT by the workspace when the request has arrived; the hops between come from the histories.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EventType, type HistoryEvent } from "#local/host/durable/events.ts";
import { openStore } from "#local/host/durable/store.ts";
import { startStack } from "#local/stack.ts";
import { nodeInstanceId, parseEndMarkerPath } from "#shared/domain/layout.ts";
import { createControls } from "#test/suite/controls.ts";

const length = Number(process.argv[2] ?? 51);
const home = mkdtempSync(join(tmpdir(), "mlpipe-bench-"));

const hops = [
  "marker committed -> event delivered, signal in the node's inbox",
  "-> getJob scheduled",
  "-> getJob answered (the job is Completed)",
  "-> collectOutputs scheduled",
  "-> collectOutputs answered",
  "-> reportNode scheduled",
  "-> signal in the run's inbox",
  "-> startNodes scheduled",
  "-> next node's instance made",
  "-> submitJob scheduled",
  "-> PUT received by the workspace",
];

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
  const { runId, markers, puts } = await runChain();
  const moments = readMoments(runId, markers, puts);
  const gaps = sorted(moments.map((all) => (all.at(-1) ?? NaN) - (all[0] ?? NaN)));
  const [median, p90, min, max] = [0.5, 0.9, 0, 1].map((share) => at(gaps, share).toFixed(1));
  console.log(
    `marker committed -> next PUT received, ${gaps.length} gaps, ms: median ${median}  p90 ${p90}  min ${min}  max ${max}`,
  );
  console.log("medians of the hops, ms:");
  for (const [index, hop] of hops.entries()) {
    const times = sorted(moments.map((all) => (all[index + 1] ?? NaN) - (all[index] ?? NaN)));
    console.log(`  ${at(times, 0.5).toFixed(1).padStart(6)}  ${hop}`);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}

interface Chain {
  readonly runId: string;
  /** Milliseconds since 1970 by node index. */
  readonly markers: ReadonlyMap<number, number>;
  readonly puts: ReadonlyMap<number, number>;
}

async function runChain(): Promise<Chain> {
  const stack = await startStack({ home });
  try {
    const headers = { "x-functions-key": stack.key, "content-type": "application/json" };
    const body = JSON.stringify({ pipeline: { type: "pipeline", jobs } });
    const started = await fetch(`${stack.url}/api/runs`, { method: "POST", headers, body });
    if (started.status !== 202) throw new Error(await started.text());
    const { runId } = (await started.json()) as { runId: string };
    const begun = performance.now();
    for (let status = ""; status !== "completed";) {
      await delay(2000);
      const answer = await fetch(`${stack.url}/api/runs?limit=1`, { headers });
      const { runs } = (await answer.json()) as { runs: { status: string }[] };
      status = runs[0]?.status ?? "";
      if (status === "failed" || status === "canceled") throw new Error(`the run ended as ${status}`);
    }
    console.log(`${length} nodes in a chain: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
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
    return { runId, markers, puts };
  } finally {
    await stack.stop();
  }
}

/** Each gap as a row of moments: a hop lies between two neighbours. The histories' clock shows milliseconds. */
function readMoments(runId: string, markers: Chain["markers"], puts: Chain["puts"]): number[][] {
  const store = openStore(join(home, "host", "durable.sqlite"));
  const read = (id: string) => store.history(id).map((text) => JSON.parse(text) as HistoryEvent);
  const run = read(runId);
  const rows = Array.from({ length: length - 1 }, (_, index) => {
    const node = read(nodeInstanceId(runId, `n${index}`));
    const next = read(nodeInstanceId(runId, `n${index + 1}`));
    const told = run.findIndex((event) => event.EventType === EventType.EventRaised && names(event, `n${index}`));
    const asked = node.findLastIndex((event) => event.EventType === EventType.TaskScheduled && event.Name === "getJob");
    const woken = node.findLastIndex((event, i) => i < asked && event.EventType === EventType.EventRaised);
    return [
      markers.get(index),
      timeOf(node[woken]),
      ...aroundActivity(node, "getJob"),
      ...aroundActivity(node, "collectOutputs"),
      timeOf(node.findLast((event) => event.EventType === EventType.TaskScheduled && event.Name === "reportNode")),
      timeOf(run[told]),
      timeOf(run.find((event, i) => i > told && event.EventType === EventType.TaskScheduled)),
      timeOf(next.find((event) => event.EventType === EventType.ExecutionStarted)),
      timeOf(next.find((event) => event.EventType === EventType.TaskScheduled)),
      puts.get(index + 1),
    ].map((time) => time ?? NaN);
  });
  store.close();
  return rows;
}

/** When its last call was scheduled and when its result came. */
function aroundActivity(history: readonly HistoryEvent[], name: string): (number | undefined)[] {
  const scheduled = history.findLast((event) => event.EventType === EventType.TaskScheduled && event.Name === name);
  const completed = history.find(
    (event) => event.EventType === EventType.TaskCompleted && event.TaskScheduledId === scheduled?.EventId,
  );
  return [timeOf(scheduled), timeOf(completed)];
}

function names(event: HistoryEvent, node: string): boolean {
  return "Input" in event && (event.Input ?? "").includes(`"node":"${node}"`);
}

function timeOf(event: HistoryEvent | undefined): number | undefined {
  return event === undefined ? undefined : Date.parse(event.Timestamp);
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function at(values: readonly number[], share: number): number {
  return values[Math.floor(share * (values.length - 1))] ?? NaN;
}
