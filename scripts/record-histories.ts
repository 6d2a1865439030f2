// Runs a few small pipelines on a stack of its own and stores the histories that our orchestrations left: test/replay plays them
// again. Node: node scripts/record-histories.ts [name...], after an orchestration has got a new version.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { openStore } from "#local/host/durable/store.ts";
import { type Stack, startStack } from "#local/stack.ts";
import type { StackFaults } from "#local/stack-plan.ts";

const target = new URL("../test/replay/histories/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "mlpipe-histories-"));
/** By name only those that are new: what older code has left is kept as it is. */
const isChosen = (name: string) => process.argv.length === 2 || process.argv.includes(name);

type Jobs = Readonly<Record<string, object>>;
const shell = (command: string, more: object = {}) => ({
  type: "command",
  command,
  environment: { image: "busybox" },
  outputs: { result: { type: "uri_folder" } },
  ...more,
});
const reading = (node: string, more: object = {}) =>
  shell("true", { inputs: { before: `\${{parent.jobs.${node}.outputs.result}}` }, ...more });

/** Logs the trial's value as its metric. */
const logMetric = `python3 - <<'end'
import json, os, time, urllib.request as web
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "acc", "value": \${{inputs.lr}}, "timestamp": int(time.time() * 1000)}
headers = {"authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "content-type": "application/json"}
web.urlopen(web.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode(), headers))
end`;

try {
  await record("success", { prep: shell("true"), train: reading("prep"), score: reading("train") }, {});
  await record("failure", { good: shell("true"), bad: shell("exit 3"), after: reading("bad") }, {});
  await record("cancel", { first: shell("sleep 600"), second: reading("first") }, { cancelWhenRunning: true });
  await record(
    "size-fall-back",
    { train: shell("true", { resources: { instance_type: "Standard_NC6s_v3" } }) },
    { faults: { workspace: { sizes: { Standard_NC6s_v3: "NoQuota" } } } },
  );
  const deaf: StackFaults = { events: { lose: 1 }, workspace: { events: { lose: 1 } } };
  // Nobody tells the node: its back-stop timer ends the first generation, and the second finds the job.
  await record("second-generation", { node: shell("true") }, { faults: deaf });
  // The first generation as it waits: only a stack that is stopped in time still has it.
  await record("first-generation", { node: shell("sleep 600") }, { faults: deaf, stopWhenRunning: true });
  const promote = {
    model: "${{parent.jobs.train.outputs.result}}",
    name: "digits",
    approval: { timeout: 3600 },
  };
  const model = shell("printf model > ${{outputs.result}}/model");
  await record("approved", { train: model }, { settings: { mlpipe: { promote } }, decision: "approve" });
  await record("rejected", { train: model }, { settings: { mlpipe: { promote } }, decision: "reject" });
  await record("sweep", { tune: sweepOf(logMetric) }, {});
  await record("loops", { ...loopsOf("true"), ...choice() }, {});
  const endless = "sleep 600";
  await record("control-cancel", { tune: sweepOf(endless), ...loopsOf(endless) }, { cancelWhenRunning: true });
  await recordDataset();
  await recordNotifications();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Seen {
  readonly status: string;
  readonly nodes: { readonly status: string }[];
  readonly waitsFor?: string;
}

function component(name: string, command: string, inputs: object, outputs: object): object {
  return { type: "command", name, command, environment: { image: "busybox" }, inputs, outputs };
}

function sweepOf(command: string): object {
  return {
    type: "sweep",
    trial: component("trial", command, { lr: { type: "number", default: 0 } }, { result: { type: "uri_folder" } }),
    search_space: { lr: { type: "choice", values: [1, 3, 2] } },
    sampling_algorithm: "grid",
    objective: { goal: "maximize", primary_metric: "acc" },
    limits: { max_total_trials: 3, max_concurrent_trials: 2 },
  };
}

function loopsOf(before: string): Jobs {
  const word = { word: { type: "string" } };
  const count = `${before}; n=$(( \${{inputs.n}} + 1 )); echo $n > \${{outputs.n}}; [ $n -lt 3 ] && echo true > \${{outputs.on}} || echo false > \${{outputs.on}}`;
  const outputs = { n: { type: "integer" }, on: { type: "boolean", is_control: true } };
  return {
    piece: {
      component: component("piece", `${before}; echo \${{inputs.word}} > \${{outputs.said}}`, word, {
        said: { type: "string" },
      }),
    },
    each: {
      type: "parallel_for",
      body: "${{parent.jobs.piece}}",
      items: [{ word: "a" }, { word: "b" }, { word: "c" }],
      max_concurrency: 2,
    },
    step: { component: component("step", count, { n: { type: "integer" } }, outputs), inputs: { n: 0 } },
    loop: {
      type: "do_while",
      body: "${{parent.jobs.step}}",
      condition: "on",
      mapping: { n: "n" },
      limits: { max_iteration_count: 10 },
    },
  };
}

function choice(): Jobs {
  return {
    decide: shell("echo true > ${{outputs.yes}}", { outputs: { yes: { type: "boolean" } } }),
    choose: {
      type: "if_else",
      condition: "${{parent.jobs.decide.outputs.yes}}",
      true_block: "${{parent.jobs.taken}}",
      false_block: "${{parent.jobs.left}}",
    },
    taken: shell("true"),
    left: shell("true"),
  };
}

interface Course {
  readonly faults?: StackFaults;
  readonly cancelWhenRunning?: boolean;
  readonly stopWhenRunning?: boolean;
  readonly settings?: object;
  /** What a run is told that asks whether its model is approved. */
  readonly decision?: "approve" | "reject";
}

async function record(name: string, jobs: Jobs, course: Course): Promise<void> {
  if (!isChosen(name)) return;
  const { faults, cancelWhenRunning, stopWhenRunning, settings, decision } = course;
  const home = join(folder, name);
  const stack = await startStack({ home, ...(faults === undefined ? {} : { faults }) });
  const ask = createAsk(stack);
  const pipeline = { type: "pipeline", name, jobs, settings: { force_rerun: true, ...settings } };
  const { runId } = (await ask("runs", { pipeline })) as { runId: string };
  for (let isOrdered = false; ;) {
    const { status, nodes, waitsFor } = (await ask(`runs/${runId}?wait=10`)) as Seen;
    if (waitsFor !== undefined && decision !== undefined)
      await ask(`runs/${runId}/approve`, { decision, by: "Ada", comment: "by hand" });
    const isRunning = nodes.some((node) => node.status === "running");
    if (isRunning && cancelWhenRunning === true && !isOrdered) {
      await ask(`runs/${runId}/cancel`, { reason: "by hand" });
      isOrdered = true;
    }
    if (!["queued", "running"].includes(status) || (isRunning && stopWhenRunning === true)) break;
    await delay(100);
  }
  await stack.stop();
  keep(name, home, ({ id }) => {
    if (id === runId) return "run";
    // Of trials and rounds the first one stands for all.
    return id.startsWith(`${runId}:`) && !/_[2-9]$/.test(id) ? id.slice(runId.length + 1) : undefined;
  });
}

/** A collector that sees one file, waits, and is woken by the second. */
async function recordDataset(): Promise<void> {
  const name = "dataset";
  if (!isChosen(name)) return;
  const home = join(folder, name);
  const pipelines = join(home, "pipelines");
  mkdirSync(pipelines, { recursive: true });
  const inputs = { data: { type: "uri_folder" } };
  const look = shell("ls ${{inputs.data}}", { inputs: { data: "${{parent.inputs.data}}" } });
  writeFileSync(join(pipelines, "look.yml"), JSON.stringify({ type: "pipeline", inputs, jobs: { look } }));
  const stack = await startStack({ home, environment: { MLPIPE_PIPELINES: relative(process.cwd(), pipelines) } });
  const ask = createAsk(stack);
  const declaration = { path: "datasets/pair/{version}/", files: ["a", "b"], pipeline: "look" };
  await ask("datasets/pair", { dataset: { ...declaration, inputs: { data: "${{dataset.path}}" } } }, "PUT");
  const service = BlobServiceClient.fromConnectionString(stack.storage.connectionString);
  let container = "";
  for await (const one of service.listContainers()) if (one.name.startsWith("azureml-blobstore-")) container = one.name;
  for (const file of ["a", "b"]) {
    await service.getContainerClient(container).getBlockBlobClient(`datasets/pair/v1/${file}`).upload("x", 1);
    await delay(1500);
  }
  await stack.stop();
  keep(name, home, (instance) => (instance.name === "collectDataset" ? "collector" : undefined));
}

/** Messages that are taken, put off once, and refused. */
async function recordNotifications(): Promise<void> {
  const name = "notification";
  if (!isChosen(name)) return;
  const home = join(folder, name);
  const seen = new Set<string>();
  const receiver = createServer((request, response) => {
    const path = request.url ?? "";
    const isFirst = !seen.has(path);
    seen.add(path);
    response.writeHead(path === "/busy" && isFirst ? 503 : path === "/gone" ? 410 : 204).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  const stack = await startStack({ home, environment: { MLPIPE_WEBHOOK_ALLOW: "127.0.0.0/8" } });
  const ask = createAsk(stack);
  for (const path of ["taken", "busy", "gone"]) {
    await ask(`webhooks/${path}`, { url: `http://127.0.0.1:${port}/${path}`, events: ["run.completed"] }, "PUT");
  }
  await ask("runs", { pipeline: { type: "pipeline", jobs: { node: shell("true") } } });
  // The one that is put off comes again after some seconds.
  await delay(12_000);
  await stack.stop();
  receiver.close();
  receiver.closeAllConnections();
  keep(name, home, (instance) => (instance.name === "deliverNotification" ? instance.id.split(":")[1] : undefined));
}

/** @param toPart what an instance's file is called by; undefined leaves it out */
function keep(
  name: string,
  home: string,
  toPart: (instance: { id: string; name: string }) => string | undefined,
): void {
  const store = openStore(join(home, "host", "durable.sqlite"));
  for (const instance of store.listInstances({ top: 100 })) {
    const part = toPart(instance);
    if (part === undefined) continue;
    const { id, name: orchestration, status } = instance;
    const lines = [JSON.stringify({ orchestration, instanceId: id, status }), ...store.history(id)];
    writeFileSync(new URL(`${name}.${part}.jsonl`, target), `${lines.join("\n")}\n`);
    console.log(`${name}.${part}: ${orchestration}, ${status}, ${lines.length - 1} events`);
  }
  store.close();
}

function createAsk({ url, key }: Stack) {
  return async function ask(
    path: string,
    body?: object,
    method = body === undefined ? "GET" : "POST",
  ): Promise<unknown> {
    const answer = await fetch(`${url}/api/${path}`, {
      method,
      headers: { "x-functions-key": key, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
}
