import { afterAll, beforeAll, expect, test } from "vitest";
import {
  group,
  startBlobStore,
  startTestWorkspace,
  workspaceName,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let env: TestWorkspace;
beforeAll(async () => {
  env = await startTestWorkspace(await startBlobStore());
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

const bodies = {
  codes: {
    codeUri: "https://acct.blob.core.windows.net/c/folder",
    properties: { hash_sha256: "abc", hash_version: "202208" },
  },
  environments: { image: "mcr.microsoft.com/x", condaFile: "dependencies: [python=3.11]" },
  components: { componentSpec: { name: "train", inputs: { a: { type: "number", optional: true } } } },
  data: { dataType: "uri_folder", dataUri: "azureml://datastores/workspaceblobstore/paths/d/" },
  models: {
    modelType: "custom_model",
    modelUri: "azureml://jobs/j/outputs/model",
    flavors: { python_function: { data: { a: "1" } } },
  },
} as const;
type Kind = keyof typeof bodies;
const kinds = Object.keys(bodies) as Kind[];
const changed = {
  codes: { codeUri: "https://acct.blob.core.windows.net/c/other" },
  environments: { image: "other" },
  components: { componentSpec: { name: "other" } },
  data: { dataUri: "azureml://datastores/workspaceblobstore/paths/other/" },
  models: { modelUri: "azureml://jobs/other/outputs/model" },
} as const;

/** The two clients of a kind, their bodies loosened: each kind has types of its own. */
function clients(kind: Kind) {
  const { client } = env;
  const versions = {
    codes: client.codeVersions,
    environments: client.environmentVersions,
    components: client.componentVersions,
    data: client.dataVersions,
    models: client.modelVersions,
  }[kind] as unknown as {
    createOrUpdate(rg: string, ws: string, name: string, version: string, body: unknown): Promise<Asset>;
    get(rg: string, ws: string, name: string, version: string): Promise<Asset>;
    delete(rg: string, ws: string, name: string, version: string): Promise<void>;
    list(rg: string, ws: string, name: string, options?: unknown): AsyncIterable<Asset>;
  };
  const containers = {
    codes: client.codeContainers,
    environments: client.environmentContainers,
    components: client.componentContainers,
    data: client.dataContainers,
    models: client.modelContainers,
  }[kind] as unknown as {
    createOrUpdate(rg: string, ws: string, name: string, body: unknown): Promise<Asset>;
    get(rg: string, ws: string, name: string): Promise<Asset>;
    delete(rg: string, ws: string, name: string): Promise<void>;
    list(rg: string, ws: string, options?: unknown): AsyncIterable<Asset>;
  };
  return { versions, containers };
}
interface Asset {
  readonly id?: string;
  readonly name?: string;
  readonly type?: string;
  readonly properties: Readonly<Record<string, unknown>>;
}
async function namesOf(items: AsyncIterable<Asset>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of items) names.push(name ?? "");
  return names;
}

test.each(kinds)("a version of %s comes back as it was put, under its version as name", async (kind) => {
  const { versions } = clients(kind);
  await versions.createOrUpdate(group, workspaceName, "thing", "7", { properties: bodies[kind] });
  const found = await versions.get(group, workspaceName, "thing", "7");
  expect(found).toMatchObject({
    id: `${workspacePath}/${kind}/thing/versions/7`,
    name: "7",
    type: `Microsoft.MachineLearningServices/workspaces/${kind}/versions`,
    properties: bodies[kind],
  });
});

test.each(kinds)("a second put of a version of %s changes labels and nothing else", async (kind) => {
  const { versions } = clients(kind);
  await versions.createOrUpdate(group, workspaceName, "fixed", "1", { properties: bodies[kind] });
  const labelled = await versions.createOrUpdate(group, workspaceName, "fixed", "1", {
    properties: { ...bodies[kind], description: "told later", tags: { a: "1" } },
  });
  expect(labelled.properties).toMatchObject({ description: "told later", tags: { a: "1" } });
  const refused = versions.createOrUpdate(group, workspaceName, "fixed", "1", {
    properties: { ...bodies[kind], ...changed[kind] },
  });
  await expect(refused).rejects.toMatchObject({
    statusCode: 400,
    code: "UserError",
    message: expect.stringContaining("cannot be changed"),
  });
});

test.each(kinds)("the container of %s counts versions and loses archived ones", async (kind) => {
  const { versions, containers } = clients(kind);
  const put = (version: string, properties = {}) =>
    versions.createOrUpdate(group, workspaceName, "counted", version, {
      properties: { ...bodies[kind], ...properties },
    });
  await put("1");
  await put("10");
  await put("9", { isArchived: kind !== "codes" });
  expect((await containers.get(group, workspaceName, "counted")).properties).toMatchObject({
    nextVersion: "11",
    latestVersion: kind === "codes" ? "9" : "10",
  });
  const active = await namesOf(versions.list(group, workspaceName, "counted"));
  expect(active).toEqual(kind === "codes" ? ["9", "10", "1"] : ["10", "1"]);
});

test.each(kinds)("containers and versions of %s can be deleted", async (kind) => {
  const { versions, containers } = clients(kind);
  for (const version of ["1", "2"])
    await versions.createOrUpdate(group, workspaceName, "doomed", version, { properties: bodies[kind] });
  await versions.delete(group, workspaceName, "doomed", "1");
  await expect(versions.get(group, workspaceName, "doomed", "1")).rejects.toMatchObject({ statusCode: 404 });
  await containers.delete(group, workspaceName, "doomed");
  await expect(versions.get(group, workspaceName, "doomed", "2")).rejects.toMatchObject({ statusCode: 404 });
  expect(await namesOf(containers.list(group, workspaceName))).not.toContain("doomed");
});

test("the latest version is found by order and top", async () => {
  for (const version of ["1", "2", "3"])
    await env.client.dataVersions.createOrUpdate(group, workspaceName, "ordered", version, { properties: bodies.data });
  const latest = env.client.dataVersions.list(group, workspaceName, "ordered", { orderBy: "createdtime desc", top: 1 });
  const { value } = await latest[Symbol.asyncIterator]().next();
  expect(value.name).toBe("3");
  const oldest = env.client.dataVersions.list(group, workspaceName, "ordered", { orderBy: "createdtime asc", top: 2 });
  expect(await namesOf(oldest as AsyncIterable<Asset>)).toEqual(["1", "2", "3"]);
});

test("an environment says it is user-made and needs exactly one of image and build", async () => {
  const put = (properties: object) =>
    env.send({ method: "PUT", path: "environments/e/versions/1", body: { properties } });
  expect((await put({ condaFile: "dependencies: []" })).status).toBe(400);
  expect((await put({ image: "a", build: { contextUri: "https://x" } })).status).toBe(400);
  expect((await put({ image: "a" })).body).toMatchObject({
    properties: { environmentType: "UserCreated", osType: "Linux" },
  });
});

test("an asset that does not exist is a 404 with code UserError", async () => {
  await expect(env.client.modelVersions.get(group, workspaceName, "none", "1")).rejects.toMatchObject({
    statusCode: 404,
    code: "UserError",
  });
});

test("names come decoded and are checked", async () => {
  const answer = await env.send({
    method: "PUT",
    path: "models/a%2Fb/versions/1",
    body: { properties: bodies.models },
  });
  expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining("a/b") } } });
});
