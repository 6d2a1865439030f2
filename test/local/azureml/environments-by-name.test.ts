// What a job may name without anybody having registered it: curated environments, those of the user's own file, computes.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  group,
  startBlobStore,
  startTestWorkspace,
  type TestWorkspace,
  workspaceName,
  workspacePath,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
let folder: string;
beforeAll(async () => {
  const blobs = await startBlobStore();
  folder = await mkdtemp(join(tmpdir(), "mlpipe-by-name-"));
  const file = join(folder, "environments.yml");
  await writeFile(file, "team-env: [polars]\nregistry.example.com/image: [duckdb]\n");
  const hasHost = (host: string) => Promise.resolve(host !== "nowhere.example");
  const options = { environmentsFile: file, takesAnyCompute: true, maxConcurrent: 100, hasHost };
  env = await startTestWorkspace(blobs, options, createFakeExecutor({ isScripted: true }));
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
async function run(environmentId: string, properties: object = {}) {
  count += 1;
  const name = `job_${count}`;
  const answer = await env.send({
    method: "PUT",
    path: `jobs/${name}`,
    body: commandJob(environmentId, { ...properties }),
  });
  const { message } = (answer.body as { error?: { message: string } }).error ?? { message: "" };
  const execution = answer.status === 201 ? await env.executor.started(name) : undefined;
  return { status: answer.status, message, condaFile: execution?.environment.condaFile ?? "", execution };
}

test.each([
  ["azureml://registries/azureml/environments/sklearn-1.5/labels/latest", "scikit-learn"],
  ["azureml://registries/azureml/environments/sklearn-1.0/versions/7", "pandas<2"],
  [`${workspacePath}/environments/AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu/versions/11`, "lightgbm"],
  [`${workspacePath}/environments/team-env/versions/3`, "polars"],
])("%s brings its packages", async (id, expected) => {
  const { status, condaFile } = await run(id);
  expect(status).toBe(201);
  expect(condaFile).toContain(expected);
});

test.each(["AzureML-sklearn-0.24-ubuntu18.04-py37-cpu", "team-env"])("%s has a latest version", async (name) => {
  const versions = env.client.environmentVersions.list(group, workspaceName, name, {
    orderBy: "createdtime desc",
    top: 1,
  });
  const { value } = await versions.next();
  expect(value.id).toBe(`${workspacePath}/environments/${name}/versions/1`);
  expect((await run(value.id)).status).toBe(201);
});

test("a registered environment keeps what it was registered with, whatever its name", async () => {
  const path = "environments/AzureML-sklearn-1.5/versions/mine";
  const condaFile = "dependencies: [pip, {pip: [tinything]}]";
  await env.send({ method: "PUT", path, body: { properties: { image: "x", condaFile } } });
  expect((await run(`${workspacePath}/${path}`)).condaFile).toBe(condaFile);
});

test("an image brings what the user's file says", async () => {
  const path = "environments/by-image/versions/1";
  await env.send({ method: "PUT", path, body: { properties: { image: "registry.example.com/image:2025" } } });
  expect((await run(`${workspacePath}/${path}`)).condaFile).toContain("duckdb");
});

test.each([
  ["azureml://registries/azureml/environments/rapids-24.4/labels/latest", "Environment azureml/rapids-24.4:latest"],
  [`${workspacePath}/environments/nobodys/versions/2`, "Environment nobodys:2"],
])("%s is refused with the packages to list and where", async (id, expected) => {
  const { status, message } = await run(id);
  expect(status).toBe(404);
  expect(message).toContain(`${expected} not found.`);
  expect(message).toMatch(/sklearn-1\.5.*pip packages.*conda_file.*environments\.yml/);
});

async function register(version: string, properties: object) {
  const path = `environments/own/versions/${version}`;
  const { status, body } = await env.send({ method: "PUT", path, body: { properties } });
  return { status, message: (body as { error?: { message: string } }).error?.message ?? "" };
}

test("an environment that is built from a Dockerfile is not taken, and what to write instead is said", async () => {
  const { status, message } = await register("built", { build: { contextUri: "https://example.com/context" } });
  expect(status).toBe(400);
  expect(message).toMatch(/built from a Dockerfile.*conda_file/);
});

test("an environment that this machine cannot build is not taken", async () => {
  const wanted = { image: "python:3.11", condaFile: "dependencies: [{pip: [unheard-of]}]" };
  expect(await register("gone", wanted)).toEqual({
    status: 400,
    message: "the environment cannot be built here: no index has it",
  });
  expect((await env.send({ path: "environments/own/versions/gone" })).status).toBe(404);
  expect((await register("there", { image: "python:3.11", condaFile: "dependencies: [pandas]" })).status).toBe(201);
});

test("an environment that nobody has registered can be looked up by its version, and one that nobody knows is advised on", async () => {
  const { body } = await env.send({ path: "environments/AzureML-sklearn-1.5/versions/11" });
  expect(body).toMatchObject({ id: `${workspacePath}/environments/AzureML-sklearn-1.5/versions/11`, name: "11" });
  for (const path of ["environments/AzureML-nobody/versions/1", "environments/AzureML-nobody/versions"]) {
    const unknown = await env.send({ path });
    expect(unknown.status).toBe(404);
    expect(JSON.stringify(unknown.body)).toMatch(/pip packages.*environments\.yml/);
  }
});

test.each(["PyTorch", "Mpi"])("a %s job of two machines is not taken: they would wait for each other", async (type) => {
  const minimal = "azureml://registries/azureml/environments/minimal/labels/latest";
  const two = { resources: { instanceCount: 2 }, distribution: { distributionType: type } };
  const { status, message } = await run(minimal, two);
  expect(status).toBe(400);
  expect(message).toContain(`A ${type} job of 2 machines cannot run here`);
  expect((await run(minimal, { ...two, resources: { instanceCount: 1 } })).status).toBe(201);
});

test("a job that begins with a fetch from a host that is not there is not taken", async () => {
  const minimal = "azureml://registries/azureml/environments/minimal/labels/latest";
  const { status, message } = await run(minimal, { command: "wget https://nowhere.example/x && tar -xf x" });
  expect(status).toBe(400);
  expect(message).toContain("It fetches https://nowhere.example/x (the command)");
  expect((await run(minimal, { command: "wget https://here.example/x && tar -xf x" })).status).toBe(201);
});

test("a TensorFlow job of two machines runs as the one worker that it is told to be", async () => {
  const minimal = "azureml://registries/azureml/environments/minimal/labels/latest";
  const two = { resources: { instanceCount: 2 }, distribution: { distributionType: "TensorFlow", workerCount: 2 } };
  expect((await run(minimal, two)).status).toBe(201);
});

test("a job runs on a compute that only its name is known of", async () => {
  const { status, execution } = await run("azureml://registries/azureml/environments/minimal/labels/latest", {
    computeId: `${workspacePath}/computes/gpu-cluster`,
  });
  expect(status).toBe(201);
  expect(execution?.instanceType).toBeUndefined();
});
