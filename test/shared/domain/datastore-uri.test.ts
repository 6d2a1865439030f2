import { expect, test } from "vitest";
import { isPlaceIn, parseDatastoreUri } from "#shared/domain/datastore-uri.ts";

test.each([
  ["azureml://datastores/store/paths/a/b/", { datastore: "store", path: "a/b/" }],
  ["azureml://datastores/store/paths/a b.csv", { datastore: "store", path: "a b.csv" }],
  [
    "azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.x",
    { datastore: "workspaceartifactstore", path: "ExperimentRun/dcid.x" },
  ],
  [
    "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x",
    { datastore: "d", path: "x", workspace: "s/g/w" },
  ],
  [
    "azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d/paths/x",
    { datastore: "d", path: "x", workspace: "s/g/w" },
  ],
  ["https://account.blob.core.windows.net/c/x", undefined],
  ["azureml://jobs/j/outputs/o/paths/x", undefined],
])("%s names a place in a datastore, or is none", (uri, place) => {
  expect(parseDatastoreUri(uri)).toEqual(place);
});

test("a place is in the workspace that its long form names, and with the short form in whichever reads it", () => {
  const armId = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W";
  const isHere = (uri: string) => isPlaceIn(parseDatastoreUri(uri) ?? { datastore: "", path: "" }, armId);
  expect(isHere("azureml://datastores/d/paths/x")).toBe(true);
  expect(isHere("azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x")).toBe(true);
  expect(isHere("azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/x")).toBe(false);
});
