import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createMlClient } from "#shared/azure/ml-client.ts";
import { createModels, type Models, type NewModel } from "#shared/azure/models.ts";
import { championOf, formerChampions } from "#shared/domain/promotion/registered-model.ts";
import { workspacePath } from "../../local/azureml/start-test-workspace.ts";
import { credential, settingsOf, startAzure } from "./start-azure.ts";

let azure: Awaited<ReturnType<typeof startAzure>>;
let models: Models;
beforeAll(async () => {
  azure = await startAzure();
  models = createModels(createMlClient(settingsOf(azure.test.workspace.url), credential));
});
afterEach(() => azure.faults({}));
afterAll(() => azure.close());

const model = (runId: string, more: Partial<NewModel> = {}): NewModel => ({
  uri: `azureml://datastores/d/paths/mlpipe/runs/${runId}/train/1/model/`,
  type: "mlflow_model",
  jobName: `${runId}-train-1`,
  description: `Made by run ${runId}`,
  tags: { stage: "production", "mlpipe.promotion": "1" },
  properties: { "mlpipe.run": runId, "mlpipe.metrics.score": '{"Final test accuracy ✓":0.9}' },
  ...more,
});

test("a version arrives with all that is said of it, past the official client's serializer", async () => {
  await models.create("whole", "1", model("r1"));
  const { body } = await azure.test.send({ path: `${workspacePath}/models/whole/versions/1?api-version=2024-04-01` });
  expect((body as { properties: object }).properties).toMatchObject({
    modelUri: "azureml://datastores/d/paths/mlpipe/runs/r1/train/1/model/",
    modelType: "mlflow_model",
    jobName: "r1-train-1",
    description: "Made by run r1",
    tags: { stage: "production", "mlpipe.promotion": "1" },
    properties: { "mlpipe.run": "r1", "mlpipe.metrics.score": '{"Final test accuracy ✓":0.9}' },
  });
  expect(await models.find("whole", "1")).toMatchObject({ ...model("r1"), name: "whole", version: "1" });
  expect(await models.find("whole", "2")).toBeUndefined();
  expect(await models.versions("nobody")).toEqual([]);
});

test("of two who make one version one is told so, and nothing of the first is changed", async () => {
  expect(await models.create("twice", "1", model("r1"))).toEqual({ kind: "created" });
  expect(await models.create("twice", "1", model("r2", { tags: { stage: "other" } }))).toEqual({ kind: "taken" });
  expect(await models.find("twice", "1")).toMatchObject(model("r1"));
  expect(await models.create("twice", "1", model("r1"))).toEqual({ kind: "created" });
});

test("a name that the workspace will not have is refused with its words", async () => {
  expect(await models.create("no/name", "1", model("r1"))).toMatchObject({ kind: "refused" });
});

test("a tag is changed and everything else stays, in every page of the list", async () => {
  for (let version = 1; version <= 45; version += 1)
    await models.create("many", String(version), model(`r${version}`, { tags: { stage: "production", n: "1" } }));
  const all = await models.versions("many");
  expect(all.map(({ version }) => Number(version))).toEqual(Array.from({ length: 45 }, (_, index) => 45 - index));
  expect(championOf(all, "production")?.version).toBe("45");
  for (const former of formerChampions(all, "production")) await models.tag(former, { stage: "archived" });
  const after = await models.versions("many");
  expect(after.filter(({ tags }) => tags["stage"] === "production").map(({ version }) => version)).toEqual(["45"]);
  expect(after.find(({ version }) => version === "7")).toMatchObject({
    ...model("r7"),
    tags: { stage: "archived", n: "1" },
  });
  expect(await models.names()).toContainEqual({ name: "many", latestVersion: "45" });
});

test("a version that was put away keeps its number", async () => {
  const { client } = azure.test;
  await models.create("away", "1", model("r1"));
  await models.create("away", "2", model("r2"));
  const { properties } = model("r2");
  const archived = {
    modelUri: model("r2").uri,
    modelType: "mlflow_model",
    properties: { ...properties },
    isArchived: true,
  };
  const { group, workspaceName } = await import("../../local/azureml/start-test-workspace.ts");
  await client.modelVersions.createOrUpdate(group, workspaceName, "away", "2", { properties: archived });
  expect((await models.versions("away")).map(({ version, isArchived }) => [version, isArchived])).toEqual([
    ["2", true],
    ["1", false],
  ]);
});
