import { describe, expect, test } from "vitest";
import { parseAssetName } from "#shared/domain/asset-name.ts";
import { isRegistered } from "#shared/domain/asset-references.ts";

const workspace = "/subscriptions/S1/resourceGroups/Group/providers/Microsoft.MachineLearningServices/workspaces/WS";
const inWorkspace = { workspace: "s1/group/ws", type: "data" };

describe("a reference to something registered", () => {
  test.for([
    ["azureml:prep", { name: "prep" }],
    ["azureml:prep:3", { name: "prep", version: "3" }],
    ["azureml:prep:1.0-rc_2", { name: "prep", version: "1.0-rc_2" }],
    ["azureml:prep@latest", { name: "prep" }],
    ["azureml:prep@stable", { name: "prep", label: "stable" }],
    [`${workspace}/data/d/versions/1`, { name: "d", version: "1", ...inWorkspace }],
    [`azureml:${workspace}/data/d/versions/1`, { name: "d", version: "1", ...inWorkspace }],
    [`azureml:/${workspace}/data/d/versions/1`, { name: "d", version: "1", ...inWorkspace }],
    [`azureml:${workspace.toUpperCase()}/DATA/d/labels/latest`, { name: "d", ...inWorkspace }],
    [
      "azureml://subscriptions/s1/resourcegroups/group/workspaces/ws/data/d/versions/1",
      { name: "d", version: "1", ...inWorkspace },
    ],
    ["azureml://data/d/versions/7", { name: "d", version: "7", type: "data" }],
    ["azureml://models/m/versions/7", { name: "m", version: "7", type: "models" }],
    [
      "azureml://locations/eastus/workspaces/1b4e28ba-2fa1-11d2-883f-0016d3cca427/data/d/versions/1",
      { name: "d", version: "1", type: "data" },
    ],
    [
      "azureml://registries/azureml/components/c/versions/1",
      { name: "c", version: "1", registry: "azureml", type: "components" },
    ],
    ["azureml://feeds/azureml/models/m/labels/latest", { name: "m", registry: "azureml", type: "models" }],
    [
      "azureml://registries/r/environments/e/labels/v2",
      { name: "e", label: "v2", registry: "r", type: "environments" },
    ],
    ["azureml://data/a%20b/versions/1", { name: "a b", version: "1", type: "data" }],
    ["azureml://data/50%/versions/1", { name: "50%", version: "1", type: "data" }],
  ] as const)("%s is read, and told from places in storage", ([reference, name]) => {
    expect(parseAssetName(reference)).toEqual(name);
    expect(isRegistered(reference)).toBe(true);
  });

  test.for([
    "prep",
    "",
    "azureml:",
    "azureml:a:b:c",
    "azureml:prep@",
    "./data/d/versions/1",
    "https://example.org/data/d/versions/1",
    "azureml://datastores/data/paths/data/d/versions/1",
    "azureml://subscriptions/s1/resourcegroups/group/workspaces/ws/datastores/d/paths/data/x/versions/1",
    "azureml://jobs/j/outputs/data",
    "data/d/versions/1",
  ])("%s is none", (reference) => {
    expect(parseAssetName(reference)).toBeUndefined();
  });

  test.for([
    "azureml://datastores/d/paths/x",
    "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/data/x",
    "azureml://jobs/j/outputs/o/paths/x",
    "https://example.org/x",
    "runs:/r/x",
  ])("%s is a place, not something registered", (reference) => {
    expect(isRegistered(reference)).toBe(false);
  });
});
