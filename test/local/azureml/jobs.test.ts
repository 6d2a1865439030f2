import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  group,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  workspaceName,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
let environmentId: string;
beforeAll(async () => {
  env = await startTestWorkspace(
    await startBlobStore(),
    { maxConcurrent: 1000 },
    createFakeExecutor({ isScripted: true }),
  );
  environmentId = await registerEnvironment(env);
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

const put = (name: string, properties: Record<string, unknown> = {}) =>
  env.send({ method: "PUT", path: `jobs/${name}`, body: commandJob(environmentId, properties) });
const errorOf = ({ body }: { body: unknown }) => (body as { error: { code: string; message: string } }).error;
const innerCodes = (answer: { body: unknown }) => {
  const { additionalInfo } = (
    answer.body as { error: { additionalInfo: { type: string; info: { value: unknown } }[] } }
  ).error;
  return JSON.stringify(additionalInfo.find(({ type }) => type === "InnerError")?.info.value);
};

test("the official client submits a job and reads it back", async () => {
  const sent = {
    properties: {
      jobType: "Command" as const,
      command: "python train.py --epochs ${{inputs.epochs}}",
      environmentId,
      experimentName: "fashion",
      inputs: { epochs: { jobInputType: "literal" as const, value: "10" } },
      limits: { jobLimitsType: "Command" as const, timeout: "PT1H" },
      resources: { instanceType: "Standard_NC4as_T4_v3" },
      tags: { team: "vision" },
    },
  };
  const created = await env.client.jobs.createOrUpdate(group, workspaceName, "train_1", sent);
  expect(created.properties).toMatchObject({ status: "NotStarted", displayName: "train_1", experimentName: "fashion" });
  const job = await env.client.jobs.get(group, workspaceName, "train_1");
  expect(job).toMatchObject({
    id: `${workspacePath}/jobs/train_1`,
    type: "Microsoft.MachineLearningServices/workspaces/jobs",
  });
  expect(job.systemData?.createdAt).toBeInstanceOf(Date);
  expect(job.properties.services?.["Studio"]?.endpoint).toMatch(/^https:\/\/ml\.azure\.com\/runs\/train_1\?wsid=/);
  expect(job.properties.services?.["Tracking"]?.endpoint).toMatch(
    /^azureml:\/\/127\.0\.0\.1:\d+\/mlflow\/v1\.0\/.*\?$/,
  );
});

test("a job answers with the artifact root as its output named default, and no uri for outputs the client did not place", async () => {
  await put("defaults", { outputs: { model: { jobOutputType: "uri_folder" } } });
  const { body } = await env.send({ path: "jobs/defaults" });
  expect(body).toMatchObject({
    properties: {
      outputs: {
        model: { jobOutputType: "uri_folder", mode: "ReadWriteMount" },
        default: { uri: "azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.defaults" },
      },
      resources: { instanceCount: 1, shmSize: "2g" },
    },
  });
  expect(
    JSON.stringify((body as { properties: { outputs: { model: unknown } } }).properties.outputs.model),
  ).not.toContain("uri:");
});

test("a data input whose uri the stock client dropped on its way is refused as the service refuses it", async () => {
  const sent = {
    properties: {
      jobType: "Command" as const,
      command: "ls ${{inputs.data}}",
      environmentId,
      inputs: {
        data: { jobInputType: "uri_folder" as const, uri: "azureml://datastores/workspaceblobstore/paths/x/" },
      },
    },
  };
  const refused = await env.client.jobs
    .createOrUpdate(group, workspaceName, "dropped", sent)
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({
    statusCode: 400,
    code: "UserError",
    message: expect.stringContaining("properties.inputs.data.uri"),
  });
});

test("the executor gets every part of the job with its references followed", async () => {
  await env.send({
    method: "PUT",
    path: "codes/snapshot/versions/1",
    body: { properties: { codeUri: "https://a.blob.core.windows.net/c/code" } },
  });
  await env.send({
    method: "PUT",
    path: "data/digits/versions/3",
    body: { properties: { dataType: "uri_folder", dataUri: "azureml://datastores/workspaceblobstore/paths/digits/" } },
  });
  await put("producer", { outputs: { model: { jobOutputType: "uri_folder" } } });
  await put("whole", {
    command:
      "run ${{ inputs.rate }} ${{inputs.data}} ${{inputs.model}} ${{outputs.out}} ${{outputs.file}} ${{outputs.named}}",
    codeId: `${workspacePath}/codes/snapshot/versions/1`,
    inputs: {
      rate: { jobInputType: "literal", value: "1e-3" },
      data: { jobInputType: "uri_folder", uri: `${workspacePath}/data/digits/versions/3`, mode: "Download" },
      model: { jobInputType: "uri_folder", uri: "azureml://jobs/producer/outputs/model/paths/sub/a.bin" },
    },
    outputs: {
      out: { jobOutputType: "uri_folder" },
      file: { jobOutputType: "uri_file" },
      named: {
        jobOutputType: "uri_folder",
        uri: "azureml://datastores/${{default_datastore}}/paths/kept/${{name}}/${{output_name}} x/",
        mode: "Upload",
      },
    },
    environmentVariables: { A: "1" },
    limits: { jobLimitsType: "Command", timeout: "PT1M30S" },
    resources: { instanceType: "standard_d4s_v5", instanceCount: 2 },
    distribution: { distributionType: "TensorFlow", workerCount: 2 },
  });
  const execution = await env.executor.started("whole");
  expect(execution).toMatchObject({
    jobName: "whole",
    experimentName: "Default",
    code: { uri: "https://a.blob.core.windows.net/c/code" },
    environment: { name: "base", version: "1", image: "python:3.11" },
    inputs: {
      rate: { type: "literal", value: "1e-3" },
      data: { type: "uri_folder", uri: "azureml://datastores/workspaceblobstore/paths/digits/", mode: "Download" },
      model: {
        uri: "azureml://datastores/workspaceblobstore/paths/azureml/producer/model/sub/a.bin",
        mode: "ReadOnlyMount",
      },
    },
    outputs: {
      out: { uri: "azureml://datastores/workspaceblobstore/paths/azureml/whole/out/", mode: "ReadWriteMount" },
      file: { uri: "azureml://datastores/workspaceblobstore/paths/azureml/whole/file" },
      named: { uri: "azureml://datastores/workspaceblobstore/paths/kept/whole/named%20x/", mode: "Upload" },
    },
    environmentVariables: { A: "1" },
    timeoutSeconds: 90,
    instanceType: "standard_d4s_v5",
    instanceCount: 2,
    distribution: { distributionType: "TensorFlow" },
  });
  expect(execution.serviceEnvironment).toMatchObject({
    AZUREML_RUN_ID: "whole",
    AZUREML_ARM_WORKSPACE_NAME: workspaceName,
    MLFLOW_RUN_ID: "whole",
    MLFLOW_EXPERIMENT_NAME: "Default",
    MLFLOW_TRACKING_URI: env.workspace.mlflowUrl,
  });
});

test.each([
  ["an undefined input in the command", { command: "echo ${{inputs.nope}}" }, /no input named nope/],
  ["an undefined output in the command", { command: "echo ${{outputs.nope}}" }, /no output named nope/],
  ["a sweep's expression", { command: "echo ${{search_space.lr}}" }, /search_space\.lr/],
  ["a VM size that does not exist", { resources: { instanceType: "Standard_Nope_v9" } }, /not a supported VM size/],
  [
    "an environment that does not exist",
    { environmentId: `${workspacePath}/environments/none/versions/1` },
    /none:1 not found/,
  ],
  ["a code version that does not exist", { codeId: `${workspacePath}/codes/none/versions/1` }, /none:1 not found/],
  ["a compute that does not exist", { computeId: `${workspacePath}/computes/none` }, /none not found/],
  ["an empty command", { command: "" }, /properties\.command/],
  [
    "a literal that is no text",
    { inputs: { n: { jobInputType: "literal", value: 1 } } },
    /properties\.inputs\.n\.value/,
  ],
  [
    "an input in a datastore that does not exist",
    { inputs: { d: { jobInputType: "uri_folder", uri: "azureml://datastores/none/paths/x" } } },
    /no datastore named none/,
  ],
  [
    "an input on the submitter's disk",
    { inputs: { d: { jobInputType: "uri_folder", uri: "./data" } } },
    /not one the service can read/,
  ],
  [
    "an output that climbs out of its folder",
    { outputs: { o: { jobOutputType: "uri_folder", uri: "azureml://datastores/workspaceblobstore/paths/a/../../b" } } },
    /climbs out/,
  ],
  ["a timeout that is no duration", { limits: { jobLimitsType: "Command", timeout: "1h" } }, /ISO 8601/],
  ["a job type nobody runs here", { jobType: "Sweep" }, /Sweep are not supported/],
  ["no job type", { jobType: null }, /\(none\) are not supported/],
  ["a nodeless job", { resources: { instanceCount: 0 } }, /instanceCount/],
])("%s is refused at submission", async (_title, properties, message) => {
  const answer = await put("refused", properties);
  expect([400, 404]).toContain(answer.status);
  expect(errorOf(answer)).toMatchObject({ code: "UserError", message: expect.stringMatching(message) });
  expect((await env.send({ path: "jobs/refused" })).status).toBe(404);
});

test.each(["-begins-with-dash", "has.dot", "x".repeat(256), "with%2Fslash", "%C3%A4"])(
  "the name %s is refused",
  async (name) => {
    const answer = await put(name);
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toMatch(/name .* is not valid/);
  },
);

test("names differ by case", async () => {
  await put("CaseOne");
  expect((await put("caseone")).status).toBe(201);
});

test("the same job put twice is one job", async () => {
  const properties = {
    inputs: { b: { jobInputType: "literal", value: "2" }, a: { jobInputType: "literal", value: "1" } },
  };
  expect((await put("twice", properties)).status).toBe(201);
  expect((await put("twice", { inputs: { a: properties.inputs.a, b: properties.inputs.b } })).status).toBe(200);
  expect(env.executor.executions.filter(({ jobName }) => jobName === "twice")).toHaveLength(1);
});

test("what a job answers can be put back to it", async () => {
  await put("echoed", { outputs: { o: { jobOutputType: "uri_folder" } }, tags: { a: "1" } });
  const job = await env.client.jobs.get(group, workspaceName, "echoed");
  const updated = await env.client.jobs
    .createOrUpdate(group, workspaceName, "echoed", {
      properties: { ...job.properties, tags: { b: "2" }, description: "told later", isArchived: true },
    })
    .catch((error: unknown) => error);
  // The client drops the uri of `default`, which the service reads as its own choice.
  expect(updated).toMatchObject({ properties: { tags: { b: "2" }, description: "told later", isArchived: true } });
});

test("another body under a taken name is refused by the part that differs", async () => {
  await put("taken", { command: "echo one" });
  const answer = await put("taken", { command: "echo two" });
  expect(answer.status).toBe(400);
  expect(errorOf(answer)).toMatchObject({
    code: "UserError",
    message: expect.stringMatching(/^A job with this name already exists\..* Command cannot be changed/),
  });
  expect(innerCodes(answer)).toBe(
    '{"code":"Immutable","innerError":{"code":"JobPropertyImmutable","innerError":null}}',
  );
});

test("a job that does not exist is a 404 whose code is still UserError", async () => {
  await expect(env.client.jobs.get(group, workspaceName, "missing")).rejects.toMatchObject({
    statusCode: 404,
    code: "UserError",
  });
});

test("lists page through every job once, newest first, archived ones left out", async () => {
  for (let index = 0; index < 7; index += 1)
    await put(`listed_${index}`, { tags: { list: "yes" }, isArchived: index === 3 });
  const { body } = await env.send({ path: "jobs?count=3&tag=list&listViewType=ActiveOnly" });
  const first = body as { value: { name: string }[]; nextLink: string };
  expect(first.value.map(({ name }) => name)).toEqual(["listed_6", "listed_5", "listed_4"]);
  const link = new URL(first.nextLink);
  const second = (await env.send({ path: `${link.pathname}${link.search}` })).body as {
    value: { name: string }[];
    nextLink?: string;
  };
  expect(second.value.map(({ name }) => name)).toEqual(["listed_2", "listed_1", "listed_0"]);
  expect(second.nextLink).toBeUndefined();
});

test("the client walks pages of a hundred on its own", async () => {
  await Promise.all(Array.from({ length: 105 }, (_, index) => put(`many_${index}`, { tags: { many: "1" } })));
  const names = new Set<string>();
  for await (const { name } of env.client.jobs.list(group, workspaceName, {
    tag: "many",
    jobType: "Command",
    listViewType: "All",
  }))
    names.add(name ?? "");
  expect(names.size).toBe(105);
});

test("deleting waits for a job's end and then takes it away", async () => {
  await put("deleted");
  await env.executor.started("deleted");
  await expect(env.client.jobs.beginDeleteAndWait(group, workspaceName, "deleted")).rejects.toMatchObject({
    statusCode: 400,
  });
  env.executor.end("deleted", { status: "Completed", exitCode: 0 });
  await expect
    .poll(async () => (await env.client.jobs.get(group, workspaceName, "deleted")).properties.status)
    .toBe("Completed");
  await env.client.jobs.beginDeleteAndWait(group, workspaceName, "deleted", { updateIntervalInMs: 1 });
  await expect(env.client.jobs.get(group, workspaceName, "deleted")).rejects.toMatchObject({ statusCode: 404 });
});

test.each([
  ["no JSON", "{", 400, /not valid JSON/],
  ["JSON that is no object", "[]", 400, /not a JSON object/],
  ["no properties", "{}", 400, /missing fields/],
  ["more than four megabytes", `{"a":"${"x".repeat(4 * 1024 * 1024)}"}`, 413, /exceeds/],
])("a body that is %s is refused", async (_title, body, status, message) => {
  const answer = await env.send({ method: "PUT", path: "jobs/body", body });
  expect(answer.status).toBe(status);
  expect(errorOf(answer).message).toMatch(message);
});
