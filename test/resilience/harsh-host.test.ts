// The durable host at its worst (activities twice, commits lost, messages in any order, every episode replayed), events doubled,
// late, reordered and lost, and a forger who knows every name: sweeps, loops and retries end as they do in fair weather.
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureHostKeys } from "#local/host/host-keys.ts";
import { type Stack, startStack } from "#local/stack.ts";
import { stateFolder } from "#local/stack-plan.ts";
import type { RunDocument } from "#shared/api.ts";
import { endMarkerPath } from "#shared/domain/layout.ts";
import { appending, createApp, nodeOf, shell, writing } from "../suite/app.ts";

const seed = Number(process.env["MLPIPE_TEST_SEED"] ?? Math.floor(Math.random() * 1e9));
let folder: string;
let stack: Stack;

beforeAll(async () => {
  console.log(`messages shuffled with MLPIPE_TEST_SEED=${seed}`);
  folder = await mkdtemp(join(tmpdir(), "mlpipe-harsh-"));
  const settings = JSON.parse(await readFile(new URL("../../host.json", import.meta.url), "utf8")) as HostJson;
  settings.extensions.durableTask["embedded"] = {
    replayTwice: true,
    duplicateActivityDelivery: true,
    rollbackAfterSend: true,
    shuffleEvents: seed,
  };
  await writeFile(join(folder, "host.json"), JSON.stringify(settings));
  const events = { double: 0.3, reorder: 0.2, delay: 0.2, lose: 0.1, delayMs: 100 };
  stack = await startStack({
    home: join(folder, "home"),
    appRoot: folder,
    entry: fileURLToPath(new URL("../../main.ts", import.meta.url)),
    faults: { events, workspace: { events } },
  });
});
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

interface HostJson {
  extensions: { durableTask: Record<string, unknown> };
}

const environment = { image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04" };
const logMetric = `python3 - \${{inputs.lr}} <<'end'
import json, os, sys, time, urllib.request as web
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "acc", "value": float(sys.argv[1]), "timestamp": int(time.time() * 1000)}
headers = {"authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "content-type": "application/json"}
web.urlopen(web.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode(), headers))
end`;

function component(name: string, command: string, inputs: object, outputs: object) {
  return { type: "command", name, command, environment, inputs, outputs };
}

function everything(): Record<string, unknown> {
  const told = (command: string) => `echo $AZUREML_RUN_ID >> ${folder}/starts; ${command}`;
  const retry = { user_code: { max_attempts: 2, delay: 0 } };
  const folderOf = (name: string) => ({ [name]: { type: "uri_folder" } });
  return {
    prep: writing("p"),
    flaky: shell(
      told("case $AZUREML_RUN_ID in *-1) exit 3;; esac; cat ${{inputs.in}}/text > ${{outputs.result}}/text"),
      {
        inputs: { in: "${{parent.jobs.prep.outputs.result}}" },
        outputs: folderOf("result"),
        resources: { properties: { mlpipe: { retry } } },
      },
    ),
    last: appending("flaky", "!"),
    tune: {
      type: "sweep",
      trial: component(
        "trial",
        told(`${logMetric}\necho \${{inputs.lr}} > \${{outputs.best}}/text`),
        { lr: { type: "number", default: 0 } },
        folderOf("best"),
      ),
      search_space: { lr: { type: "choice", values: [1, 3, 2] } },
      sampling_algorithm: "grid",
      objective: { goal: "maximize", primary_metric: "acc" },
      limits: { max_total_trials: 3, max_concurrent_trials: 2 },
    },
    piece: {
      component: component(
        "piece",
        told('printf "%s" ${{inputs.word}} | wc -c > ${{outputs.size}}'),
        { word: { type: "string" } },
        { size: { type: "integer" } },
      ),
    },
    each: {
      type: "parallel_for",
      body: "${{parent.jobs.piece}}",
      items: [{ word: "a" }, { word: "bb" }, { word: "ccc" }],
      max_concurrency: 2,
    },
    step: {
      component: component(
        "step",
        told(
          "n=$(( ${{inputs.n}} + 1 )); echo $n > ${{outputs.n}}; if [ $n -lt 3 ]; then echo true; else echo false; fi > ${{outputs.on}}",
        ),
        { n: { type: "integer" } },
        { n: { type: "integer" }, on: { type: "boolean", is_control: true } },
      ),
      inputs: { n: 0 },
    },
    loop: {
      type: "do_while",
      body: "${{parent.jobs.step}}",
      condition: "on",
      mapping: { n: "n" },
      limits: { max_iteration_count: 10 },
    },
  };
}

/** Sends what the storage, the workspace or another run could have sent, until told to stop. */
async function forge(runId: string, isOver: () => boolean): Promise<number> {
  const keys = ensureHostKeys(stateFolder(join(folder, "home"), "host"));
  const service = BlobServiceClient.fromConnectionString(stack.storage.connectionString);
  let container = "";
  for await (const { name } of service.listContainers()) if (name.startsWith("azureml-blobstore-")) container = name;
  const nodes = [
    "prep",
    "flaky",
    "last",
    "tune",
    "tune.trial_2",
    "each",
    "each.item_1",
    "loop",
    "loop.iteration_1",
    "nobody",
  ];
  let sent = 0;
  while (!isOver()) {
    const node = nodes[sent % nodes.length] ?? "";
    const jobName = `${runId}-${node.replace("_", "__").replace(".", "_d")}-1`;
    const path = endMarkerPath({ runId, node, attempt: 1 });
    await Promise.all([
      post(
        "outputWritten",
        "Microsoft.Storage.BlobCreated",
        `/blobServices/default/containers/${container}/blobs/${path}`,
        {
          api: "PutBlob",
          url: `https://anybody.example/${path}`,
        },
      ),
      post("jobChanged", "Microsoft.MachineLearningServices.RunCompleted", `experiments/e/runs/${jobName}`, {
        runId: jobName,
      }),
      signal(runId, sent % 2 === 0 ? "check" : "slot-free"),
      signal(`${runId}:${node}`, "slot-free"),
      // A marker of a job that has not ended, of an attempt that nobody makes.
      service
        .getContainerClient(container)
        .getBlockBlobClient(endMarkerPath({ runId, node, attempt: 3 }))
        .upload('{"exitCode":1}', 14),
    ]);
    sent += 1;
    await delay(40);
  }
  return sent;

  async function post(functionName: string, eventType: string, subject: string, data: object): Promise<void> {
    const url = `${stack.url}/runtime/webhooks/EventGrid?functionName=${functionName}&code=${keys.system.eventgrid_extension}`;
    const eventTime = new Date().toISOString();
    const about = { id: randomUUID(), topic: "/anybody", dataVersion: "", metadataVersion: "1" };
    const headers = { "content-type": "application/json", "aeg-event-type": "Notification" };
    await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify([{ ...about, subject, eventType, eventTime, data }]),
    }).then((answer) => answer.text());
  }

  async function signal(instanceId: string, kind: string): Promise<void> {
    const place = `${stack.url}/runtime/webhooks/durabletask/instances/${encodeURIComponent(instanceId)}/raiseEvent/signal`;
    const headers = { "content-type": "application/json" };
    await fetch(`${place}?code=${keys.system.durabletask_extension}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ kind }),
    }).then((answer) => answer.text());
  }
}

test("sweeps, loops and retries end as in fair weather, each attempt started once", async () => {
  const app = createApp(stack);
  const { runId } = await app.start(everything());
  let isOver = false;
  const forging = forge(runId, () => isOver);
  const run: RunDocument = await app.ended(runId);
  isOver = true;
  const forged = await forging;
  console.log(`${forged} rounds of forged signals, events and markers`);
  expect(run.nodes.map(({ name, status, attempt }) => `${name} ${status} ${attempt}`).toSorted()).toEqual([
    "each completed 1",
    "flaky completed 2",
    "last completed 1",
    "loop completed 1",
    "prep completed 1",
    "tune completed 1",
  ]);
  expect(await app.read(runId, "last", "result", "text")).toBe("p!");
  expect((await app.read(runId, "tune", "best", "text")).trim()).toBe("3");
  expect(nodeOf(run, "tune").sweep?.trials.map(({ status }) => status)).toEqual([
    "completed",
    "completed",
    "completed",
  ]);
  expect(await app.read(runId, "each", "size", "size")).toBe("[1,2,3]");
  expect(nodeOf(run, "loop").loop).toMatchObject({ begun: 3, completed: 3 });
  const starts = (await readFile(join(folder, "starts"), "utf8")).trim().split("\n");
  expect(starts.map((name) => name.slice(runId.length + 1)).toSorted()).toEqual([
    "each_ditem__1-1",
    "each_ditem__2-1",
    "each_ditem__3-1",
    "flaky-1",
    "flaky-2",
    "loop_diteration__1-1",
    "loop_diteration__2-1",
    "loop_diteration__3-1",
    "tune_dtrial__1-1",
    "tune_dtrial__2-1",
    "tune_dtrial__3-1",
  ]);
  expect(forged).toBeGreaterThan(0);
});

test("a cancel in bad weather stops a sweep and both loops", async () => {
  const app = createApp(stack);
  const sleepy = Object.fromEntries(
    Object.entries(everything()).map(([name, node]) => [
      name,
      JSON.parse(JSON.stringify(node).replaceAll(`echo $AZUREML_RUN_ID >>`, `sleep 100; echo $AZUREML_RUN_ID >>`)),
    ]),
  );
  const { runId } = await app.start(sleepy);
  await app.until(runId, (run) => ["tune", "each", "loop"].every((name) => nodeOf(run, name).status === "running"));
  let isOver = false;
  const forging = forge(runId, () => isOver);
  expect((await app.call(`runs/${runId}/cancel`, { method: "POST", body: { reason: "by hand" } })).status).toBe(202);
  const run = await app.ended(runId);
  isOver = true;
  await forging;
  expect(run.status).toBe("canceled");
  expect(["tune", "each", "loop"].map((name) => nodeOf(run, name).status)).toEqual([
    "canceled",
    "canceled",
    "canceled",
  ]);
});
