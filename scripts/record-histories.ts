// Runs a few small pipelines on a stack of its own and stores the histories that our orchestrations left: test/replay plays them
// again. Node: node scripts/record-histories.ts [name...], after an orchestration has got a new version.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openStore } from "#local/host/durable/store.ts";
import { type Stack, startStack } from "#local/stack.ts";
import type { StackFaults } from "#local/stack-plan.ts";

const target = new URL("../test/replay/histories/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "mlpipe-histories-"));

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
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Seen {
  readonly status: string;
  readonly nodes: { readonly status: string }[];
  readonly waitsFor?: string;
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
  // By name only those that are new: what older code has left is kept as it is.
  if (process.argv.length > 2 && !process.argv.includes(name)) return;
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
  const store = openStore(join(home, "host", "durable.sqlite"));
  for (const { id, name: orchestration, status } of store.listInstances({ prefix: runId, top: 100 })) {
    const part = id === runId ? "run" : id.slice(runId.length + 1);
    // The others are those of any run.
    if (decision !== undefined && orchestration !== "runPromote") continue;
    const lines = [JSON.stringify({ orchestration, instanceId: id, status }), ...store.history(id)];
    writeFileSync(new URL(`${name}.${part}.jsonl`, target), `${lines.join("\n")}\n`);
    console.log(`${name}.${part}: ${orchestration}, ${status}, ${lines.length - 1} events`);
  }
  store.close();
}

function createAsk({ url, key }: Stack) {
  return async function ask(path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${url}/api/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-functions-key": key, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
}
