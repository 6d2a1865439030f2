// Outputs with a name of their own become versions of data assets and models, which are immutable.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeExecutor } from "./fake-executor.ts";
import { commandJob, startBlobStore, startTestWorkspace, type TestWorkspace } from "./start-test-workspace.ts";

let env: TestWorkspace;
beforeAll(async () => {
  env = await startTestWorkspace(
    await startBlobStore(),
    { maxConcurrent: 100 },
    createFakeExecutor({ isScripted: true }),
  );
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

const put = (name: string, outputs: object) =>
  env.send({
    method: "PUT",
    path: `jobs/${name}`,
    body: commandJob("azureml://registries/azureml/environments/minimal/versions/1", { outputs }),
  });
const get = async (path: string) => (await env.send({ path })).body as { properties?: Record<string, unknown> };

async function complete(name: string): Promise<void> {
  await env.executor.started(name);
  env.executor.end(name, { status: "Completed", exitCode: 0 });
  await expect.poll(async () => (await get(`jobs/${name}`)).properties?.["status"]).toBe("Completed");
}

test("an output with a name is a version of it once the job has completed", async () => {
  const folder = {
    jobOutputType: "uri_folder",
    assetName: "words",
    uri: "azureml://datastores/workspaceblobstore/paths/w/",
  };
  const model = { jobOutputType: "custom_model", assetName: "net", assetVersion: "v1" };
  expect((await put("first", { folder, model })).status).toBe(201);
  expect((await get("data/words/versions/1")).properties).toBeUndefined();
  await complete("first");
  expect((await get("data/words/versions/1")).properties).toMatchObject({
    dataType: "uri_folder",
    dataUri: "azureml://datastores/workspaceblobstore/paths/w/",
  });
  expect((await get("models/net/versions/v1")).properties).toMatchObject({
    modelType: "custom_model",
    modelUri: "azureml://datastores/workspaceblobstore/paths/azureml/first/model/",
  });
});

test("a version that is taken is refused when the job is put, and without a version the next is made", async () => {
  const refused = await put("second", {
    model: { jobOutputType: "custom_model", assetName: "net", assetVersion: "v1" },
  });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain("version v1 of the model net, which exists already");
  const misnamed = await put("misnamed", { folder: { jobOutputType: "uri_folder", assetName: "a b" } });
  expect([misnamed.status, JSON.stringify(misnamed.body)]).toEqual([
    400,
    expect.stringContaining("is to be called a b"),
  ]);
  expect((await put("third", { folder: { jobOutputType: "uri_folder", assetName: "words" } })).status).toBe(201);
  await complete("third");
  expect((await get("data/words/versions/2")).properties).toMatchObject({
    dataUri: "azureml://datastores/workspaceblobstore/paths/azureml/third/folder/",
  });
});

test("of two jobs that make one version the later one fails", async () => {
  const outputs = { folder: { jobOutputType: "uri_folder", assetName: "race", assetVersion: "1" } };
  for (const name of ["quick", "slow"]) expect((await put(name, outputs)).status).toBe(201);
  await complete("quick");
  await env.executor.started("slow");
  env.executor.end("slow", { status: "Completed", exitCode: 0 });
  await expect.poll(async () => (await get("jobs/slow")).properties?.["status"]).toBe("Failed");
  expect((await get("data/race/versions/1")).properties).toMatchObject({ dataUri: expect.stringContaining("/quick/") });
});
