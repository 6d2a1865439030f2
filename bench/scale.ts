// What many nodes and many runs cost, and how that grows: one run of a chain, of a fan-out with its fan-in and of layers, and many
// runs of three nodes at once.
//
//   node bench/scale.ts [shape, or `all`] [sizes, 100,300,1000] [simulated | shell] [--profile folder]
//
// Shapes: chain, fan (one, n - 2 side by side, one that reads them all), layers (of ten, each node reads three of the layer
// before), items (one loop over so many, all at once), runs (so many of three nodes each, all at once). Each line has a fresh stack of its own. With `simulated` the workspace
// starts no process for a job: what is left is what the orchestration costs. CPU and memory are those of the processes of the
// stack, as Linux counts them; processes of jobs are not among them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureHostKeys } from "#local/host/host-keys.ts";
import { type Stack, startStack } from "#local/stack.ts";

type Node = Record<string, unknown>;
type Part = "host" | "workspace" | "storage";

const [wanted = "all", sizesText = "100,300,1000", kind = "simulated", ...more] = process.argv.slice(2);
const sizes = sizesText.split(",").map(Number);
const profileFolder = more[0] === "--profile" ? more[1] : undefined;
const parts = ["host", "workspace", "storage"] as const;
/** Of /proc/<pid>/stat: `getconf CLK_TCK` on Linux. */
const ticksPerSecond = 100;

const name = (index: number) => `node_${String(index).padStart(4, "0")}`;

function toNode(upstream: readonly number[]): Node {
  const inputs = upstream.map((index) => [`from_${index}`, `\${{parent.jobs.${name(index)}.outputs.made}}`]);
  return {
    type: "command",
    command: `${upstream.map((index) => `test -e \${{inputs.from_${index}}}`).join(" && ") || "true"} && echo made > \${{outputs.made}}/x`,
    environment: { image: "busybox" },
    ...(upstream.length === 0 ? {} : { inputs: Object.fromEntries(inputs) }),
    outputs: { made: { type: "uri_folder" } },
  };
}

const shapes: Record<string, (size: number) => Node[]> = {
  chain: (size) => Array.from({ length: size }, (_, index) => toNode(index === 0 ? [] : [index - 1])),
  fan: (size) => [
    toNode([]),
    ...Array.from({ length: size - 2 }, () => toNode([0])),
    toNode(Array.from({ length: size - 2 }, (_, index) => index + 1)),
  ],
  layers: (size) =>
    Array.from({ length: size }, (_, index) => {
      const first = 10 * (Math.floor(index / 10) - 1);
      return toNode(first < 0 ? [] : [0, 3, 7].map((step) => first + ((index + step) % 10)));
    }),
  items: (size) => [
    { ...toNode([]), command: "echo ${{inputs.word}} > ${{outputs.made}}/x", inputs: { word: "none" } },
    {
      type: "parallel_for",
      body: `\${{parent.jobs.${name(0)}}}`,
      items: Array.from({ length: size }, (_, index) => ({ word: `word ${index}` })),
    },
  ],
};

interface Figures {
  readonly wallMs: number;
  /** Milliseconds of CPU. */
  readonly cpu: Record<Part, number>;
  /** MiB: before, at most, and after. */
  readonly memory: Record<Part, readonly [number, number, number]>;
  /** Bytes of the custom status as UTF-16, at most. */
  readonly statusBytes: number;
  readonly documentBytes: number;
  readonly getRunMs: readonly number[];
  readonly listRunsMs: readonly number[];
  readonly databaseBytes: number;
  readonly handles: number;
}

function startMeter(stack: Stack) {
  const most: Record<Part, number> = { host: 0, workspace: 0, storage: 0 };
  const read = (part: Part) => {
    const all = processesOf(stack.pids()[part], part === "storage");
    const rss = all.reduce((sum, pid) => sum + memoryOf(pid), 0);
    most[part] = Math.max(most[part], rss);
    return { rss, cpu: all.reduce((sum, pid) => sum + cpuOf(pid), 0) };
  };
  const begun = Object.fromEntries(parts.map((part) => [part, read(part)])) as Record<Part, ReturnType<typeof read>>;
  const timer = setInterval(() => parts.forEach(read), 250);
  return () => {
    clearInterval(timer);
    const ended = Object.fromEntries(parts.map((part) => [part, read(part)])) as typeof begun;
    const each = <T>(work: (part: Part) => T) =>
      Object.fromEntries(parts.map((part) => [part, work(part)])) as Record<Part, T>;
    return {
      cpu: each((part) => ended[part].cpu - begun[part].cpu),
      memory: each((part) => [begun[part].rss, most[part], ended[part].rss] as const),
      handles: readdirSync(`/proc/${stack.pids().host}/fd`).length,
    };
  };
}

/** A process, and the child that the storage account runs in. */
function processesOf(pid: number, hasChild: boolean): number[] {
  if (!hasChild) return [pid];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))];
}

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

async function measure(shape: string, size: number): Promise<Figures> {
  const home = mkdtempSync(join(tmpdir(), "mlpipe-scale-"));
  const stack = await startStack({
    home,
    ...(kind === "simulated" ? { faults: { workspace: { simulated: {} } } } : {}),
    ...(profileFolder === undefined
      ? {}
      : { environment: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` } }),
  });
  async function call(path: string, body?: unknown, key = stack.key): Promise<{ text: string; ms: number }> {
    const from = performance.now();
    const answer = await fetch(`${stack.url}/${path}`, {
      headers: { "x-functions-key": key, "content-type": "application/json" },
      signal: AbortSignal.timeout(120_000),
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return { text, ms: performance.now() - from };
  }

  async function start(nodes: readonly Node[]): Promise<string> {
    const jobs = Object.fromEntries(nodes.map((node, index) => [name(index), node]));
    // A fresh name each: nothing of one is reused by another.
    const pipeline = { type: "pipeline", name: `scale_${shape}`, settings: { force_rerun: true }, jobs };
    return (JSON.parse((await call("api/runs", { pipeline })).text) as { runId: string }).runId;
  }

  async function statusOf(runId: string): Promise<string> {
    return (JSON.parse((await call(`api/runs/${runId}`)).text) as { status: string }).status;
  }

  const durableKey = ensureHostKeys(join(home, "host")).system.durabletask_extension;
  async function statusBytesOf(runId: string): Promise<number> {
    const path = `runtime/webhooks/durabletask/instances/${runId}?showInput=false`;
    const { text } = await call(path, undefined, durableKey);
    return 2 * JSON.stringify((JSON.parse(text) as { customStatus: unknown }).customStatus).length;
  }

  try {
    // What is loaded by the first run is no cost of the later ones.
    const warmUp = await start((shapes["chain"] ?? (() => []))(3));
    while ((await statusOf(warmUp)) !== "completed") await delay(200);
    const stop = startMeter(stack);
    const from = performance.now();
    const runIds =
      shape === "runs"
        ? await startMany(size, () => start((shapes["chain"] ?? (() => []))(3)))
        : [await start((shapes[shape] ?? (() => []))(size))];
    const [runId = ""] = runIds;
    const getRunMs: number[] = [];
    const listRunsMs: number[] = [];
    let statusBytes = 0;
    let documentBytes = 0;
    for (;;) {
      const run = await call(`api/runs/${runId}`);
      getRunMs.push(run.ms);
      documentBytes = Math.max(documentBytes, run.text.length);
      const list = await call("api/runs?limit=50");
      listRunsMs.push(list.ms);
      statusBytes = Math.max(statusBytes, await statusBytesOf(runId));
      const live = JSON.parse((await call("api/runs?limit=1&status=running")).text) as { runs: unknown[] };
      const queued = JSON.parse((await call("api/runs?limit=1&status=queued")).text) as { runs: unknown[] };
      if (live.runs.length + queued.runs.length === 0) break;
      await delay(2000);
    }
    const wallMs = performance.now() - from;
    const figures = stop();
    for (const id of runIds) {
      const status = await statusOf(id);
      if (status !== "completed") throw new Error(`run ${id} ended as ${status}`);
    }
    const database = join(home, "host", "durable.sqlite");
    await stack.stop();
    return {
      wallMs,
      ...figures,
      statusBytes,
      documentBytes,
      getRunMs,
      listRunsMs,
      databaseBytes: statSync(database).size,
    };
  } finally {
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** 1,000 requests at once are what a listener's queue takes, and no more. */
async function startMany(count: number, startOne: () => Promise<string>): Promise<string[]> {
  return (await Promise.all(Array.from({ length: count }, startOne))).toSorted();
}

const at = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? NaN;

const columns = [
  ["shape", 7],
  ["n", 5],
  ["wall s", 8],
  ["ms/node", 8],
  ["cpu ms/node: host", 18],
  ["workspace", 10],
  ["storage", 8],
  ["MiB host", 13],
  ["workspace", 13],
  ["storage", 13],
  ["status KB", 10],
  ["doc KB", 7],
  ["db KB/node", 11],
  ["get p50/max ms", 15],
  ["list p50/max ms", 16],
  ["fd", 4],
] as const;

console.log(`jobs: ${kind}; load ${loadavg()[0]?.toFixed(1)}`);
console.log(columns.map(([title, width]) => title.padStart(width)).join(" "));
for (const shape of wanted === "all" ? [...Object.keys(shapes), "runs"] : wanted.split(",")) {
  for (const size of sizes) {
    const figures = await measure(shape, size);
    const nodes = shape === "runs" ? 3 * size : size;
    const { wallMs, cpu, memory, getRunMs, listRunsMs } = figures;
    const ofMemory = (part: Part) => memory[part].map((one) => one.toFixed(0)).join("/");
    const spread = (values: readonly number[]) => `${at(values, 0.5).toFixed(0)}/${at(values, 1).toFixed(0)}`;
    const cells = [
      shape,
      String(size),
      (wallMs / 1000).toFixed(1),
      (wallMs / nodes).toFixed(1),
      ...parts.map((part) => (cpu[part] / nodes).toFixed(1)),
      ...parts.map(ofMemory),
      (figures.statusBytes / 1024).toFixed(1),
      (figures.documentBytes / 1024).toFixed(0),
      (figures.databaseBytes / 1024 / nodes).toFixed(1),
      spread(getRunMs),
      spread(listRunsMs),
      String(figures.handles),
    ];
    console.log(cells.map((cell, index) => cell.padStart(columns[index]?.[1] ?? 0)).join(" "));
  }
}
