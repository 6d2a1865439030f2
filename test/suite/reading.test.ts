import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, inject, test } from "vitest";
import { NodeMetrics, OutputList, type RunDocument, RunList, UploadAnswer } from "#shared/api.ts";
import { nodeStatusFacts, runStatusFacts } from "#shared/domain/run.ts";
import { snapshotHash } from "#shared/domain/snapshot.ts";
import { onEmbedded, nodeOf, shell, sharedApp, writing } from "./app.ts";

const { app, controls } = sharedApp();
const result = { outputs: { result: { type: "uri_folder" } } };
const sha256 = (content: Uint8Array | string) => createHash("sha256").update(content).digest("hex");

describe("a run's document", () => {
  test("has the same tag until it changes, and a caller who has it waits for the next", async () => {
    const { runId } = await app.start({ node: shell("sleep 0.3", result) });
    const first = await app.getRun(runId);
    const tags = [first.etag];
    let { document, etag } = first;
    while (!runStatusFacts[document.status].isTerminal) {
      ({ document, etag } = await app.getRun(runId, 20, etag));
      tags.push(etag);
    }
    expect(document.status).toBe("completed");
    expect(new Set(tags).size).toBe(tags.length);
    for (const wait of [0, 1]) {
      const answer = await app.call(`runs/${runId}?wait=${wait}`, { headers: { "if-none-match": etag } });
      expect(answer.status).toBe(304);
      expect(answer.headers.get("etag")).toBe(etag);
      expect(await answer.text()).toBe("");
    }
    expect(await app.getRun(runId, 20, first.etag)).toEqual({ document, etag });
  });

  test("of a caller without a tag comes at the end of the run or of the wait", async () => {
    const { runId } = await app.start({ node: shell("sleep 0.3", result) });
    const { document } = await app.getRun(runId, 60);
    expect(document.status).toBe("completed");
  });
});

describe("the list of runs", () => {
  test("is paged, newest first, without a gap or a repeat, and filtered", async () => {
    const name = `paged_${crypto.randomUUID().slice(0, 8)}`;
    const started: RunDocument[] = [];
    for (const jobs of [{ a: shell("exit 3", result) }, { a: writing("x") }]) {
      // At once, so that some are of the same millisecond.
      const three = Array.from({ length: 3 }, () => app.start(jobs, { name }));
      started.push(...(await Promise.all(three)));
    }
    await Promise.all(started.map(({ runId }) => app.ended(runId)));

    const pages: RunList["runs"][] = [];
    for (let link: string | undefined = `${app.url}/api/runs?pipeline=${name}&limit=2`; link !== undefined;) {
      expect(link.startsWith(`${app.url}/api/`)).toBe(true);
      const page = RunList.parse(await (await app.call(link.slice(`${app.url}/api/`.length))).json());
      pages.push(page.runs);
      link = page.nextLink;
    }
    const runs = pages.flat();
    expect(pages.every(({ length }) => length <= 2)).toBe(true);
    expect(runs.map(({ runId }) => runId).toSorted()).toEqual(started.map(({ runId }) => runId).toSorted());
    const times = runs.map(({ createdTime }) => createdTime);
    expect(times).toEqual(times.toSorted().toReversed());

    const failed = RunList.parse(await (await app.call(`runs?pipeline=${name}&status=failed`)).json()).runs;
    expect(failed.map(({ status }) => status)).toEqual(["failed", "failed", "failed"]);
    const completed = RunList.parse(await (await app.call(`runs?pipeline=${name}&status=completed`)).json()).runs;
    expect(completed.map(({ nodeCount, completedNodeCount }) => [nodeCount, completedNodeCount])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});

describe("a node's log", () => {
  test("is read from any byte on, and followed until it is whole", async () => {
    const lines = Array.from({ length: 5 }, (_, index) => `line ${index} é`);
    const command = `for i in 0 1 2 3 4; do echo "line $i é"; sleep 0.3; done`;
    const { runId } = await app.start({ node: shell(command, result) });
    const path = `runs/${runId}/nodes/node/logs`;
    const chunks: Buffer[] = [];
    let from = 0;
    for (let isComplete = false; !isComplete;) {
      const answer = await app.call(`${path}?from=${from}&wait=20`);
      expect(answer.status).toBe(200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      chunks.push(bytes);
      from += bytes.byteLength;
      expect(Number(answer.headers.get("x-mlpipe-next-offset"))).toBe(from);
      isComplete = answer.headers.get("x-mlpipe-log-complete") === "true";
    }
    const whole = `${lines.join("\n")}\n`;
    expect(Buffer.concat(chunks).toString()).toBe(whole);
    expect(nodeStatusFacts[nodeOf((await app.getRun(runId)).document, "node").status].isTerminal).toBe(true);

    expect(await (await app.call(`${path}?from=7`)).text()).toBe(Buffer.from(whole).subarray(7).toString());
    const beyond = await app.call(`${path}?from=100000`);
    expect([beyond.status, await beyond.text()]).toEqual([200, ""]);
    expect(beyond.headers.get("x-mlpipe-log-complete")).toBe("true");
    const missing = await app.call(`runs/${runId}/nodes/nobody/logs`);
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain("it has node");
  });
});

describe("a node's metrics", () => {
  test("are what its program logged through MLflow's API, every step of it", async () => {
    const program = `
import json, os, time, urllib.request
base = os.environ["MLFLOW_TRACKING_URI"].replace("azureml:", "https:")
def post(path, body):
    body["run_id"] = os.environ["MLFLOW_RUN_ID"]
    headers = {"authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(base + "/api/2.0/mlflow/runs/" + path, json.dumps(body).encode(), headers))
for step in range(3):
    post("log-metric", {"key": "loss", "value": 1 / (step + 1), "timestamp": int(time.time() * 1000), "step": step})
post("log-parameter", {"key": "epochs", "value": "3"})
`;
    const run = await app.ended(
      (
        await app.start({
          node: shell('printf %s "$PROGRAM" | python -', { ...result, environment_variables: { PROGRAM: program } }),
        })
      ).runId,
    );
    expect(run.status).toBe("completed");
    const metrics = NodeMetrics.parse(await (await app.call(`runs/${run.runId}/nodes/node/metrics`)).json());
    expect(metrics.params).toEqual({ epochs: "3" });
    expect(metrics.metrics["loss"]?.map(({ step, value }) => [step, value])).toEqual([
      [0, 1],
      [1, 1 / 2],
      [2, 1 / 3],
    ]);
  });
});

describe("a node's outputs", () => {
  test("are listed with their sizes, and each file is read whole or in part", async () => {
    const command = [
      'mkdir -p "${{outputs.result}}/deep er/é"',
      'printf 0123456789 > "${{outputs.result}}/digits"',
      'printf x > "${{outputs.result}}/deep er/é/100% #1.txt"',
      ': > "${{outputs.result}}/empty"',
      'printf alone > "${{outputs.single}}"',
    ].join(" && ");
    const outputs = { result: { type: "uri_folder" }, single: { type: "uri_file" } };
    const run = await app.ended((await app.start({ node: shell(command, { outputs }) })).runId);
    expect(run.status).toBe("completed");
    const base = `runs/${run.runId}/nodes/node/outputs`;
    const list = OutputList.parse(await (await app.call(base)).json());
    const files = Object.fromEntries(
      list.outputs.map(({ output, files: found }) => [
        output,
        found.map(({ path, size }) => `${path}: ${size}`).toSorted(),
      ]),
    );
    expect(files["result"]).toEqual(["deep er/é/100% #1.txt: 1", "digits: 10", "empty: 0"]);
    expect(list.outputs.find(({ output }) => output === "single")?.files.map(({ size }) => size)).toEqual([5]);
    const uris = Object.fromEntries(list.outputs.map(({ output, uri }) => [output, uri]));
    expect(uris).toEqual({ ...nodeOf(run, "node").outputs, default: expect.stringContaining("ExperimentRun") });

    expect(await app.read(run.runId, "node", "result", "deep%20er/%C3%A9/100%25%20%231.txt")).toBe("x");
    expect(await app.read(run.runId, "node", "single", "")).toBe("alone");
    const empty = await app.call(`${base}/result/empty`);
    expect([empty.status, await empty.text()]).toEqual([200, ""]);

    const ranges: [range: string, status: number, body: string, contentRange: string | null][] = [
      ["bytes=2-4", 206, "234", "bytes 2-4/10"],
      ["bytes=7-", 206, "789", "bytes 7-9/10"],
      ["bytes=-3", 206, "789", "bytes 7-9/10"],
      ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
      ["bytes=8-100", 206, "89", "bytes 8-9/10"],
      ["bytes=10-", 416, "", "bytes */10"],
      ["bytes=-0", 416, "", "bytes */10"],
      ["lines=1-2", 200, "0123456789", null],
      ["bytes=4-2", 200, "0123456789", null],
    ];
    for (const [range, status, body, contentRange] of ranges) {
      const answer = await app.call(`${base}/result/digits`, { headers: { range } });
      expect([range, answer.status, await answer.text()]).toEqual([range, status, body]);
      expect(answer.headers.get("content-range")).toBe(contentRange);
    }
    for (const path of ["result/nothing", "nothing/digits", "result/..%2f..%2fplan.json", "result"]) {
      expect([path, (await app.call(`${base}/${path}`)).status]).toEqual([path, 404]);
    }
  });

  test("are none before it has made some", async () => {
    const { runId } = await app.start({ node: shell("sleep 0.2", result) });
    const list = OutputList.parse(await (await app.call(`runs/${runId}/nodes/node/outputs`)).json());
    expect(list.outputs.filter(({ output }) => output !== "default")).toEqual([]);
    await app.ended(runId);
  });

  test(
    "of any size pass through the host without being held there, however slow the reader",
    onEmbedded(controls, async () => {
      const megabytes = 160;
      const command = `yes 0123456789abcde | head -c ${megabytes}M > "\${{outputs.result}}/large"`;
      const run = await app.ended((await app.start({ node: shell(command, result) })).runId);
      const before = await hostMemory();
      const answer = await app.call(`runs/${run.runId}/nodes/node/outputs/result/large`);
      const reader = answer.body?.getReader();
      const hash = createHash("sha256");
      let [length, most] = [0, 0];
      for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) {
        hash.update(chunk.value);
        // A reader that stops at the beginning is sent what others would hold for it.
        for (let seen = -1; length === 0 && seen !== most;) {
          seen = most;
          await delay(500);
          most = Math.max(most, await hostMemory());
        }
        length += chunk.value.byteLength;
      }
      expect(length).toBe(megabytes * 2 ** 20);
      expect(hash.digest("hex")).toBe(sha256("0123456789abcde\n".repeat(megabytes * 2 ** 16)));
      expect((most - before) / 2 ** 20).toBeLessThan(megabytes / 2);
    }),
  );
});

/** Resident bytes of the Functions host. */
async function hostMemory(): Promise<number> {
  const status = await readFile(`/proc/${inject("app").embedded?.hostPid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe("an upload", () => {
  const fileOf = (path: string, text: string) => ({ path, size: Buffer.byteLength(text), sha256: sha256(text) });

  test("is told where to go, and once there serves as code and as data", async () => {
    const texts = { "main.sh": `cat "$1/words.txt" # ${crypto.randomUUID()}`, "words.txt": "stored words" };
    const files = Object.entries(texts).map(([path, text]) => fileOf(path, text));
    const request = { hash: await snapshotHash(files), files };
    const ask = async () =>
      UploadAnswer.parse(await (await app.call("uploads", { method: "POST", body: request })).json());
    const first = await ask();
    const { url, sas } = first.upload ?? { url: "", sas: "" };
    for (const [path, text] of Object.entries(texts)) {
      const headers = { "x-ms-blob-type": "BlockBlob" };
      const put = await fetch(`${url}/${path}?${sas}`, { method: "PUT", headers, body: text });
      expect(put.status).toBe(201);
    }
    expect(await ask()).toEqual({ uri: first.uri });
    // The signature creates and writes; it reads nothing.
    expect((await fetch(`${url}/main.sh?${sas}`)).status).toBe(403);

    const node = shell("bash main.sh ${{inputs.data}}", {
      ...result,
      code: first.uri,
      inputs: { data: { type: "uri_folder", path: first.uri } },
    });
    const run = await app.ended((await app.start({ node })).runId);
    expect(run.status).toBe("completed");
    expect(await app.log(run.runId, "node")).toBe("stored words");
  });

  test("whose files do not make its hash is refused", async () => {
    const body = { hash: "0".repeat(64), files: [fileOf("a", "b")] };
    const answer = await app.call("uploads", { method: "POST", body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(await snapshotHash(body.files));
  });
});
