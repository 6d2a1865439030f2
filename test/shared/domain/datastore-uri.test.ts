import { expect, test } from "vitest";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";

test.each([
  ["azureml://datastores/store/paths/a/b/", { datastore: "store", path: "a/b/" }],
  ["azureml://datastores/store/paths/a b.csv", { datastore: "store", path: "a b.csv" }],
  [
    "azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.x",
    { datastore: "workspaceartifactstore", path: "ExperimentRun/dcid.x" },
  ],
  ["azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x", { datastore: "d", path: "x" }],
  [
    "azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d/paths/x",
    { datastore: "d", path: "x" },
  ],
  ["https://account.blob.core.windows.net/c/x", undefined],
  ["azureml://jobs/j/outputs/o/paths/x", undefined],
])("%s names a place in a datastore, or is none", (uri, place) => {
  expect(parseDatastoreUri(uri)).toEqual(place);
});
