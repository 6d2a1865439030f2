// Reuse, its reasons and reruns, with real jobs and a real store.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { NodeExplanation, NodeMetrics, OutputList, PlanAnswer, RunDocument, UploadAnswer } from "#shared/api.ts";
import { snapshotHash } from "#shared/domain/snapshot.ts";
import { appending, nodeOf, shell, sharedApp, writing } from "./app.ts";

const { app } = sharedApp();
type Jobs = Readonly<Record<string, unknown>>;

async function post<T>(schema: { parse(value: unknown): T }, path: string, body: object): Promise<T> {
  const answer = await app.call(path, { method: "POST", body });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  return schema.parse(await answer.json());
}

/** A pipeline of its own, so that nothing another test has made stands for its nodes. */
function pipelineOf(jobs: Jobs, inputs: Readonly<Record<string, unknown>> = {}) {
  const name = `reuse_${crypto.randomUUID().slice(0, 8)}`;
  return { type: "pipeline", name, inputs, jobs };
}

const unique = () => crypto.randomUUID().slice(0, 8);
const run = async (pipeline: object, options: object = {}) =>
  app.ended((await post(RunDocument, "runs", { pipeline, ...options })).runId);
const rerun = async (runId: string, request: object) =>
  app.ended((await post(RunDocument, `runs/${runId}/rerun`, request)).runId);
const statuses = (document: RunDocument) => document.nodes.map(({ name, status }) => `${name} ${status}`).join(", ");
const why = async (runId: string, node: string) =>
  NodeExplanation.parse(await (await app.call(`runs/${runId}/nodes/${node}/why`)).json());

/** A folder of one file in the workspace's store, as the command line uploads it, and a hand to write the file again. */
async function upload(path: string, content: string): Promise<{ uri: string; write: (text: string) => Promise<void> }> {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const files = [{ path, size: Buffer.byteLength(content), sha256 }];
  const { uri, upload: target } = await post(UploadAnswer, "uploads", { hash: await snapshotHash(files), files });
  const write = async (text: string) => {
    const headers = { "x-ms-blob-type": "BlockBlob" };
    const answer = await fetch(`${target?.url}/${path}?${target?.sas}`, { method: "PUT", headers, body: text });
    if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status}`);
  };
  if (target !== undefined) await write(content);
  return { uri, write };
}

describe("a pipeline that is run again unchanged", () => {
  test("is reused, with the outputs, the log and the metrics of the jobs that stand for its nodes", async () => {
    const pipeline = pipelineOf({
      a: shell(`echo ${unique()} said; printf x > "\${{outputs.result}}/text"`, {
        outputs: { result: { type: "uri_folder" } },
      }),
      b: appending("a", "y"),
    });
    const first = await run(pipeline);
    const second = await run(pipeline);
    expect(statuses(first)).toBe("a completed, b completed");
    expect(statuses(second)).toBe("a reused, b reused");
    const { jobName } = nodeOf(first, "a");
    expect(nodeOf(second, "a")).toMatchObject({ jobName, reusedFrom: { runId: first.runId, node: "a", jobName } });
    expect(nodeOf(second, "b").outputs).toEqual(nodeOf(first, "b").outputs);
    expect(await app.log(second.runId, "a")).toBe(await app.log(first.runId, "a"));
    expect(await app.read(second.runId, "b", "result", "text")).toBe("xy");
    const list = OutputList.parse(await (await app.call(`runs/${second.runId}/nodes/b/outputs`)).json());
    expect(list.outputs.find(({ output }) => output === "result")?.files.map(({ path }) => path)).toEqual(["text"]);
    expect(NodeMetrics.parse(await (await app.call(`runs/${second.runId}/nodes/a/metrics`)).json())).toEqual(
      NodeMetrics.parse(await (await app.call(`runs/${first.runId}/nodes/a/metrics`)).json()),
    );
  });

  test("is told so by a plan, before anything is spent", async () => {
    const pipeline = pipelineOf({ a: writing(unique()), b: appending("a", "y"), c: appending("b", "z") });
    const { runId } = await run(pipeline);
    const plan = await post(PlanAnswer, "plan", { pipeline });
    expect(plan.nodes.map(({ action }) => action)).toEqual(["reuse", "reuse", "reuse"]);
    expect(plan.nodes[0]).toMatchObject({ reusedFrom: { runId, node: "a" } });
    const edited = { ...pipeline, jobs: { ...pipeline.jobs, b: appending("a", "other") } };
    const other = await post(PlanAnswer, "plan", { pipeline: edited });
    expect(other.nodes.map(({ action }) => action)).toEqual(["reuse", "run", "run"]);
    expect(other.nodes[1]?.reason).toMatch(/^command: .*printf '%s' 'y'.* -> .*'other'/);
    expect(other.nodes[2]?.reason).toBe("unless the outputs of b come out the same");
  });
});

describe("an edit", () => {
  test("that changes no byte of a node's output stops at that node", async () => {
    const text = unique();
    const pipeline = pipelineOf({ a: writing(text), b: appending("a", "y") });
    const first = await run(pipeline);
    const edited = {
      ...pipeline,
      jobs: { ...pipeline.jobs, a: writing(text, { environment_variables: { NOTE: "1" } }) },
    };
    const second = await run(edited);
    expect(statuses(second)).toBe("a completed, b reused");
    expect(nodeOf(second, "b").reusedFrom?.runId).toBe(first.runId);
  });

  test("of a file of the code is named with the lines before and after", async () => {
    const salt = unique();
    const node = async (lines: string) =>
      shell("cat main.txt > ${{outputs.result}}/text", {
        code: (await upload("main.txt", `${salt}\n${lines}\nend\n`)).uri,
        outputs: { result: { type: "uri_folder" } },
      });
    const pipeline = pipelineOf({ a: await node("epochs = 2") });
    const first = await run(pipeline);
    expect(statuses(await run({ ...pipeline, jobs: { a: await node("epochs = 2") } }))).toBe("a reused");
    const second = await run({ ...pipeline, jobs: { a: await node("epochs = 3") } });
    expect(await why(second.runId, "a")).toMatchObject({
      decision: "run",
      comparedWith: { runId: first.runId, node: "a" },
      changes: [{ ingredient: "code: main.txt", before: "epochs = 2", after: "epochs = 3" }],
    });
  });

  test("of a value, a line of the environment or a secret is named with both values, the secret hidden", async () => {
    const node = (more: object) => writing("x", { ...more });
    const conda = (version: string) => ({
      image: "busybox",
      conda_file: { dependencies: [`python=${version}`, "pip"] },
    });
    const salt = unique();
    const variables = (secret: string) => ({ SALT: salt, API_TOKEN: secret });
    const pipeline = pipelineOf({ a: node({ environment_variables: variables("alpha") }) });
    await run(pipeline);
    const second = await run({ ...pipeline, jobs: { a: node({ environment_variables: variables("beta") }) } });
    const explained = await why(second.runId, "a");
    expect(explained.changes.map(({ ingredient }) => ingredient)).toEqual(["environmentVariables.API_TOKEN"]);
    expect(JSON.stringify(explained)).not.toMatch(/alpha|beta/);
    const plan = await post(PlanAnswer, "plan", {
      pipeline: {
        ...pipeline,
        jobs: { a: node({ environment_variables: variables("beta"), environment: conda("3.11") }) },
      },
    });
    expect(plan.nodes[0]).toMatchObject({
      action: "run",
      reason: expect.stringContaining("environment.condaFile") as string,
    });
  });

  test("of data in place is never missed, and named by the file that changed", async () => {
    const [one, other] = [unique(), unique()];
    const { uri, write } = await upload("a.csv", one);
    const node = shell("cat ${{inputs.data}}/a.csv > ${{outputs.result}}/text", {
      inputs: { data: { type: "uri_folder", path: uri } },
      outputs: { result: { type: "uri_folder" } },
    });
    const pipeline = pipelineOf({ a: node });
    await run(pipeline);
    await write(one);
    expect(statuses(await run(pipeline))).toBe("a reused");
    await write(other);
    const changed = await run(pipeline);
    expect(statuses(changed)).toBe("a completed");
    expect(await app.read(changed.runId, "a", "result", "text")).toBe(other);
    const md5 = (text: string) => createHash("md5").update(text).digest("hex").slice(0, 12);
    expect((await why(changed.runId, "a")).changes).toEqual([
      { ingredient: "inputs.data: a.csv", before: `8 bytes, MD5 ${md5(one)}`, after: `8 bytes, MD5 ${md5(other)}` },
    ]);
  });
});

describe("a rerun", () => {
  const flow = (salt: string) => {
    return pipelineOf(
      {
        a: shell(`date +%s%N > "\${{outputs.result}}/text"; echo ${salt}`, {
          outputs: { result: { type: "uri_folder" } },
          is_deterministic: false,
        }),
        b: appending("a", "y"),
        c: shell('test "${{inputs.is_good}}" = yes && cat "${{inputs.before}}/text" > "${{outputs.result}}/text"', {
          inputs: { before: "${{parent.jobs.b.outputs.result}}", is_good: "${{parent.inputs.is_good}}" },
          outputs: { result: { type: "uri_folder" } },
        }),
      },
      { is_good: "no" },
    );
  };

  test("from what failed takes over what has completed, with other inputs, and says what it continues", async () => {
    const first = await run(flow(unique()));
    expect(statuses(first)).toBe("a completed, b completed, c failed");
    const second = await rerun(first.runId, { from: "failed", inputs: { is_good: "yes" } });
    expect(statuses(second)).toBe("a reused, b reused, c completed");
    expect(second.continues).toBe(first.runId);
    expect(nodeOf(second, "a").outputs).toEqual(nodeOf(first, "a").outputs);
    const third = await rerun(second.runId, { from: "b" });
    expect(statuses(third)).toBe("a reused, b completed, c completed");
    expect(nodeOf(third, "a").reusedFrom?.runId).toBe(first.runId);
  });

  test("whole reuses what may be reused, and nothing when it is forced", async () => {
    const first = await run(pipelineOf({ a: writing(unique()), b: appending("a", "y") }));
    expect(statuses(await rerun(first.runId, {}))).toBe("a reused, b reused");
    expect(statuses(await rerun(first.runId, { force: true }))).toBe("a completed, b completed");
  });

  test("of a run that goes on, of an unknown node or from a failure that never was is refused", async () => {
    const { runId } = await app.start({ a: shell("sleep 2") });
    const early = await app.call(`runs/${runId}/rerun`, { method: "POST", body: {} });
    expect([early.status, await early.text()]).toEqual([409, expect.stringContaining("has not ended") as string]);
    await app.ended(runId);
    const unknown = await app.call(`runs/${runId}/rerun`, { method: "POST", body: { from: "b" } });
    expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining("it has a") as string]);
    const whole = await app.call(`runs/${runId}/rerun`, { method: "POST", body: { from: "failed" } });
    expect([whole.status, await whole.text()]).toEqual([400, expect.stringContaining("has completed") as string]);
    const none = await app.call("runs/no_such_run/rerun", { method: "POST", body: {} });
    expect(none.status).toBe(404);
  });

  test("sent twice with one key starts one run", async () => {
    const first = await run(pipelineOf({ a: writing(unique()) }));
    const call = { method: "POST", body: {}, headers: { "idempotency-key": unique() } };
    const answers = await Promise.all([1, 2].map(() => app.call(`runs/${first.runId}/rerun`, call)));
    const documents = await Promise.all(answers.map(async (answer) => RunDocument.parse(await answer.json())));
    expect(documents[0]?.runId).toBe(documents[1]?.runId);
  });
});

test("random edits on real jobs run what they change and reuse the rest", async () => {
  const salt = unique();
  const texts = ["p", "q"];
  /** What each node adds, and what its program keeps of what it reads. */
  const state = { a: 0, b: 0, c: 0, keep: 9 };
  const jobs = (): Jobs => ({
    a: writing(`${salt}${texts[state.a]}`),
    b: shell(
      `{ head -c ${state.keep} "\${{inputs.before}}/text"; printf ${texts[state.b]}; } > "\${{outputs.result}}/text"`,
      {
        inputs: { before: "${{parent.jobs.a.outputs.result}}" },
        outputs: { result: { type: "uri_folder" } },
      },
    ),
    c: appending("b", texts[state.c] ?? ""),
  });
  const base = pipelineOf(jobs());
  const made = new Set<string>();
  let random = 7;
  const next = (count: number) => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) % count;
  for (let turn = 0; turn < 8; turn += 1) {
    const edit = (["a", "b", "c", "keep"] as const)[next(4)];
    if (edit === "keep") state.keep = next(2) === 0 ? 8 : 9;
    else if (edit !== undefined) state[edit] = next(2);
    const a = `${salt}${texts[state.a]}`;
    const b = `${a.slice(0, state.keep)}${texts[state.b]}`;
    const c = `${b}${texts[state.c]}`;
    const keys = { a, b: `${a}|${state.keep}|${texts[state.b]}`, c: `${b}|${texts[state.c]}` };
    const expected = Object.entries(keys).map(
      ([name, key]) => `${name} ${made.has(`${name} ${key}`) ? "reused" : "completed"}`,
    );
    const document = await run({ ...base, jobs: jobs() });
    expect(statuses(document)).toBe(expected.join(", "));
    expect(await app.read(document.runId, "c", "result", "text")).toBe(c);
    for (const [name, key] of Object.entries(keys)) made.add(`${name} ${key}`);
  }
});
