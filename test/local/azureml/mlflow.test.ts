import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  token,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
let environmentId: string;
beforeAll(async () => {
  env = await startTestWorkspace(
    await startBlobStore(),
    { maxConcurrent: 100 },
    createFakeExecutor({ isScripted: true }),
  );
  environmentId = await registerEnvironment(env);
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

/** What MLflow answers here, as far as these tests read it. */
interface Tracked {
  readonly run: {
    readonly info: Readonly<Record<string, unknown>>;
    readonly data: {
      readonly metrics: readonly { key: string; value: number | string; step: number }[];
      readonly params: readonly { key: string; value: string }[];
      readonly tags: readonly { key: string; value: string }[];
    };
  };
  readonly runs: readonly Tracked["run"][];
  readonly metrics: readonly { key: string; value: number | string; timestamp: number; step: number }[];
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly experiment_id: string;
  readonly error_code: string;
  readonly next_page_token?: string;
}

async function submit(name: string): Promise<Record<string, string>> {
  await env.send({
    method: "PUT",
    path: `jobs/${name}`,
    body: commandJob(environmentId, { experimentName: "exp", displayName: `shown ${name}` }),
  });
  return (await env.executor.started(name)).serviceEnvironment;
}
/** A call as a job makes it: plain http, the run's token. */
async function call(
  variables: Readonly<Record<string, string>>,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Tracked }> {
  const answer = await fetch(`${variables["MLFLOW_TRACKING_URI"]}/api/2.0/mlflow/${path}`, {
    method,
    headers: { authorization: `Bearer ${variables["MLFLOW_TRACKING_TOKEN"]}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Tracked };
}

test("the run is there before the process starts, named as the job, and follows its statuses", async () => {
  const variables = await submit("followed");
  const read = async () => (await call(variables, "GET", "runs/get?run_id=followed&run_uuid=followed")).body.run.info;
  expect(await read()).toMatchObject({
    run_id: "followed",
    run_uuid: "followed",
    run_name: "shown followed",
    experiment_id: variables["MLFLOW_EXPERIMENT_ID"],
    status: "SCHEDULED",
    artifact_uri: `mlflow-artifacts:/${variables["MLFLOW_EXPERIMENT_ID"]}/followed/artifacts`,
    lifecycle_stage: "active",
  });
  env.executor.phase("followed", "Running");
  expect(await read()).toMatchObject({ status: "RUNNING" });
  env.executor.end("followed", { status: "Failed", code: "UserError", message: "no" });
  await expect.poll(read).toMatchObject({ status: "FAILED", end_time: expect.any(Number) });
});

test("metrics are appended, and the last one stands for all", async () => {
  const variables = await submit("metrics");
  for (const [index, value] of [0.5, 0.4, 0.3].entries()) {
    await call(variables, "POST", "runs/log-metric", {
      run_id: "metrics",
      key: "Loss/val x",
      value,
      timestamp: 1000 + index,
      step: 0,
    });
  }
  const { metrics } = (await call(variables, "GET", "metrics/get-history?run_id=metrics&metric_key=Loss%2Fval+x")).body;
  expect(metrics.map(({ value }) => value)).toEqual([0.5, 0.4, 0.3]);
  const { data } = (await call(variables, "GET", "runs/get?run_id=metrics")).body.run;
  expect(data.metrics).toEqual([{ key: "Loss/val x", value: 0.3, timestamp: 1002, step: 0 }]);
});

test("a metric's history comes in pages", async () => {
  const variables = await submit("paged");
  const metrics = Array.from({ length: 5 }, (_, step) => ({
    key: "m",
    value: step,
    timestamp: String(step),
    step: String(step),
  }));
  await call(variables, "POST", "runs/log-batch", { run_id: "paged", metrics });
  const seen: unknown[] = [];
  let page = "";
  do {
    const { body } = await call(
      variables,
      "GET",
      `metrics/get-history?run_id=paged&metric_key=m&max_results=2&page_token=${page}`,
    );
    seen.push(...body.metrics.map(({ value }) => value));
    page = body.next_page_token ?? "";
  } while (page !== "");
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test("values that JSON has no number for come and go as text", async () => {
  const variables = await submit("odd");
  for (const value of ["NaN", "Infinity", "-Infinity"]) {
    await call(variables, "POST", "runs/log-metric", { run_id: "odd", key: value, value, timestamp: 1 });
  }
  const { data } = (await call(variables, "GET", "runs/get?run_id=odd")).body.run;
  expect(data.metrics.map(({ key, value }) => [key, value])).toEqual([
    ["-Infinity", "-Infinity"],
    ["Infinity", "Infinity"],
    ["NaN", "NaN"],
  ]);
});

test("params are written once and tags over and over", async () => {
  const variables = await submit("params");
  const log = (value: string) =>
    call(variables, "POST", "runs/log-parameter", { run_id: "params", key: "epochs", value });
  expect((await log("10")).status).toBe(200);
  expect((await log("10")).status).toBe(200);
  expect(await log("11")).toMatchObject({ status: 400, body: { error_code: "INVALID_PARAMETER_VALUE" } });
  for (const value of ["a", "b"]) await call(variables, "POST", "runs/set-tag", { run_id: "params", key: "t", value });
  const { data } = (await call(variables, "GET", "runs/get?run_id=params")).body.run;
  expect(data.params).toEqual([{ key: "epochs", value: "10" }]);
  expect(data.tags).toContainEqual({ key: "t", value: "b" });
  await call(variables, "POST", "runs/delete-tag", { run_id: "params", key: "t" });
  expect((await call(variables, "POST", "runs/delete-tag", { run_id: "params", key: "t" })).status).toBe(404);
});

test("a batch over a limit leaves nothing behind", async () => {
  const variables = await submit("batch");
  const many = (length: number) => Array.from({ length }, (_, index) => ({ key: `k${index}`, value: "v" }));
  expect((await call(variables, "POST", "runs/log-batch", { run_id: "batch", params: many(101) })).status).toBe(400);
  await call(variables, "POST", "runs/log-parameter", { run_id: "batch", key: "k5", value: "other" });
  expect((await call(variables, "POST", "runs/log-batch", { run_id: "batch", params: many(10) })).status).toBe(400);
  expect((await call(variables, "GET", "runs/get?run_id=batch")).body.run.data.params).toEqual([
    { key: "k5", value: "other" },
  ]);
  const huge = { run_id: "batch", tags: [{ key: "t", value: "x".repeat(1024 * 1024) }] };
  expect((await call(variables, "POST", "runs/log-batch", huge)).status).toBe(413);
});

test("a job writes to its own run and to runs it made, and reads all", async () => {
  const mine = await submit("mine");
  await submit("theirs");
  expect(await call(mine, "POST", "runs/set-tag", { run_id: "theirs", key: "a", value: "b" })).toMatchObject({
    status: 403,
    body: { error_code: "PERMISSION_DENIED" },
  });
  expect((await call(mine, "GET", "runs/get?run_id=theirs")).status).toBe(200);
  const { body } = await call(mine, "POST", "runs/create", {
    experiment_id: mine["MLFLOW_EXPERIMENT_ID"],
    run_name: "child",
    start_time: 5,
  });
  expect(
    (await call(mine, "POST", "runs/update", { run_id: body.run.info["run_id"], status: "FINISHED", end_time: 9 }))
      .status,
  ).toBe(200);
});

test.each([
  ["no token", {}, 401],
  ["a forged token", { authorization: "Bearer aaaa.bbbb.cccc" }, 401],
  ["the owner's token", { authorization: `Bearer ${token}` }, 200],
])("with %s tracking answers", async (_title, headers, status) => {
  await submit(`token_${status}`);
  const answer = await fetch(`${env.workspace.mlflowUrl}/api/2.0/mlflow/experiments/search`, {
    method: "POST",
    headers,
    body: "{}",
  });
  expect(answer.status).toBe(status);
});

test("the same API is below the workspace's own path over https", async () => {
  await submit("https");
  for (const version of ["v1.0", "v2.0"]) {
    const answer = await env.send({
      path: `/mlflow/${version}${workspacePath}/api/2.0/mlflow/runs/get?run_id=https`,
      apiVersion: null,
    });
    expect(answer).toMatchObject({ status: 200, body: { run: { info: { run_id: "https" } } } });
  }
  const missed = await env.send({
    path: `/mlflow/v1.0${workspacePath.replace("test-group", "other")}/api/2.0/mlflow/runs/get?run_id=https`,
    apiVersion: null,
  });
  expect(missed.status).not.toBe(200);
});

test("experiments are found by id and by name and made once", async () => {
  const variables = await submit("experiments");
  const { body } = await call(variables, "GET", "experiments/get-by-name?experiment_name=exp");
  expect(body.experiment).toMatchObject({ name: "exp", experiment_id: variables["MLFLOW_EXPERIMENT_ID"] });
  expect(
    (await call(variables, "GET", `experiments/get?experiment_id=${variables["MLFLOW_EXPERIMENT_ID"]}`)).status,
  ).toBe(200);
  expect((await call(variables, "POST", "experiments/create", { name: "new" })).body.experiment_id).toMatch(
    /^[0-9a-f-]{36}$/,
  );
  expect((await call(variables, "POST", "experiments/create", { name: "new" })).body.error_code).toBe(
    "RESOURCE_ALREADY_EXISTS",
  );
});

test("runs are searched by what they logged", async () => {
  const variables = await submit("search_a");
  const other = await submit("search_b");
  await call(variables, "POST", "runs/log-batch", {
    run_id: "search_a",
    metrics: [{ key: "acc", value: 0.7, timestamp: 1 }],
    params: [{ key: "opt", value: "adam" }],
  });
  await call(other, "POST", "runs/log-batch", {
    run_id: "search_b",
    metrics: [{ key: "acc", value: 0.9, timestamp: 1 }],
    params: [{ key: "opt", value: "sgd" }],
  });
  const search = async (body: object) => {
    const answer = await call(variables, "POST", "runs/search", {
      experiment_ids: [variables["MLFLOW_EXPERIMENT_ID"]],
      ...body,
    });
    return answer.body.runs?.map(({ info }) => info["run_id"]) ?? answer.body.error_code;
  };
  expect(await search({ filter: "metrics.acc > 0.8" })).toEqual(["search_b"]);
  expect(await search({ filter: "metrics.acc > 0", order_by: ["metrics.acc ASC"] })).toEqual(["search_a", "search_b"]);
  expect(await search({ filter: "params.opt = 'adam' and attributes.status = 'SCHEDULED'" })).toEqual(["search_a"]);
  expect(await search({ filter: "params.opt LIKE '%d' AND metrics.acc >= 0.9" })).toEqual(["search_b"]);
  expect(await search({ filter: "tags.`mlflow.rootRunId` IN ('search_a', 'none')" })).toEqual(["search_a"]);
  expect(await search({ filter: "metrics.acc >", max_results: 1 })).toBe("INVALID_PARAMETER_VALUE");
});

test("endpoints that are not there say so", async () => {
  const variables = await submit("unknown");
  expect(await call(variables, "POST", "logged-models", {})).toMatchObject({
    status: 404,
    body: { error_code: "ENDPOINT_NOT_FOUND" },
  });
  expect(await call(variables, "GET", "runs/get?run_id=none")).toMatchObject({
    status: 404,
    body: { error_code: "RESOURCE_DOES_NOT_EXIST" },
  });
});

test("artifacts go to the artifact store where the service keeps them, and come back", async () => {
  const variables = await submit("artifacts");
  const root = `${variables["MLFLOW_TRACKING_URI"]}/api/2.0/mlflow-artifacts/artifacts`;
  const place = `${variables["MLFLOW_EXPERIMENT_ID"]}/artifacts/artifacts`;
  const headers = { authorization: `Bearer ${variables["MLFLOW_TRACKING_TOKEN"]}` };
  const picture = Buffer.alloc(9 * 1024 * 1024, 7);
  expect(
    (await fetch(`${root}/${place}/plots/Loss%20v.s.%20Accuracy.png`, { method: "PUT", headers, body: picture }))
      .status,
  ).toBe(200);
  expect(
    (
      await fetch(`${root}/${place}/note.txt`, {
        method: "PUT",
        headers: { ...headers, "content-type": "text/plain" },
        body: "hello",
      })
    ).status,
  ).toBe(200);
  expect(await env.blobs.read("ExperimentRun/dcid.artifacts/note.txt", "workspaceartifactstore")).toBe("hello");

  const back = await fetch(`${root}/${place}/plots/Loss%20v.s.%20Accuracy.png`, { headers });
  expect(Buffer.from(await back.arrayBuffer()).equals(picture)).toBe(true);
  const list = async (path: string) =>
    (await (await fetch(`${root}?path=${encodeURIComponent(path)}`, { headers })).json()) as { files: unknown };
  expect((await list(place)).files).toEqual([
    { path: "note.txt", is_dir: false, file_size: 5 },
    { path: "plots", is_dir: true },
  ]);
  expect((await list(`${place}/plots`)).files).toEqual([
    { path: "Loss v.s. Accuracy.png", is_dir: false, file_size: picture.length },
  ]);
  expect((await fetch(`${root}/${place}/none`, { headers })).status).toBe(404);
  expect((await fetch(`${root}/${place}/..%2Fother`, { method: "PUT", headers, body: "x" })).status).toBe(400);
});
