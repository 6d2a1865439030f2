import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatastoreResolver, datastoreUri, presetDatastores } from "#local/azureml/datastores.ts";
import { createResourceStore, type ResourceStore } from "#local/azureml/resource-store.ts";
import { openStore, type Store } from "#local/azureml/store.ts";
import { createScope } from "#local/azureml/workspace-scope.ts";

const scope = createScope({ subscriptionId: "s", resourceGroup: "g", workspaceName: "w" });
let folder: string;
let store: Store;
let resources: ResourceStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mlpipe-datastores-"));
  store = openStore(folder);
  resources = createResourceStore(store);
  presetDatastores(resources, scope, {
    protocol: "http",
    endpoint: "127.0.0.1:10000",
    accountName: "acct",
    accountKey: "a2V5",
  });
  resources.put(
    { kind: "datastores", name: "cloud" },
    { accountName: "azacct", containerName: "c", credentials: {} },
    { secrets: { sasToken: "sig=x" } },
  );
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});
const container = `azureml-blobstore-${scope.workspaceId}`;

test.each([
  ["azureml://datastores/workspaceblobstore/paths/a/b.csv", "workspaceblobstore", "a/b.csv"],
  ["azureml://datastores/workspaceblobstore/paths/a/", "workspaceblobstore", "a/"],
  [
    "azureml://datastores/workspaceblobstore/paths/Loss%20v.s.%20Accuracy.png",
    "workspaceblobstore",
    "Loss v.s. Accuracy.png",
  ],
  [
    "azureml://datastores/workspaceblobstore/paths/Loss v.s. Accuracy.png",
    "workspaceblobstore",
    "Loss v.s. Accuracy.png",
  ],
  ["azureml://datastores/workspaceblobstore/paths/100%.txt", "workspaceblobstore", "100%.txt"],
  [
    "azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.j",
    "workspaceartifactstore",
    "ExperimentRun/dcid.j",
  ],
  [
    "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/a",
    "workspaceblobstore",
    "a",
  ],
  [
    "azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/workspaceblobstore/paths/a",
    "workspaceblobstore",
    "a",
  ],
  [`http://127.0.0.1:10000/acct/${container}/x/y%20z?sv=1&sig=s`, "workspaceblobstore", "x/y z"],
  [`http://127.0.0.1:20000/acct/${container}/x`, "workspaceblobstore", "x"],
  ["https://azacct.blob.core.windows.net:443/c/x/y", "cloud", "x/y"],
  ["https://azacct.dfs.core.windows.net/c/x", "cloud", "x"],
  ["wasbs://c@azacct.blob.core.windows.net/x", "cloud", "x"],
  ["abfss://c@azacct.dfs.core.windows.net/x/", "cloud", "x/"],
])("%s lies in %s at %s", (uri, datastore, path) => {
  expect(createDatastoreResolver(resources, scope).resolve(uri)).toEqual({ datastore, path });
});

test.each([
  ["azureml://datastores/none/paths/a", "NotFound"],
  ["https://stranger.blob.core.windows.net/c/x?sig=secret", "InvalidRequest"],
  ["https://example.com/file.csv", "InvalidRequest"],
  ["azureml://datastores/workspaceblobstore/paths/a/../../b", "InvalidRequest"],
  ["azureml://datastores/workspaceblobstore/paths/a/%2E%2E/b", "InvalidRequest"],
  ["/etc/passwd", "InvalidRequest"],
  ["azureml://subscriptions/s/resourcegroups/g/workspaces/w2/datastores/workspaceblobstore/paths/a", "InvalidRequest"],
])("%s lies nowhere, and no signature is told", (uri, code) => {
  const resolve = () => createDatastoreResolver(resources, scope).resolve(uri);
  expect(resolve).toThrow(expect.objectContaining({ code, message: expect.not.stringContaining("secret") }));
});

test("a place goes there and back through its URI", () => {
  const place = { datastore: "workspaceblobstore", path: "a b/100%/ü#?.csv" };
  expect(createDatastoreResolver(resources, scope).resolve(datastoreUri(place.datastore, place.path))).toEqual(place);
});

test("clients carry the account in the path on loopback and in the host elsewhere", () => {
  const resolver = createDatastoreResolver(resources, scope);
  expect(resolver.client("workspaceblobstore").url).toBe(`http://127.0.0.1:10000/acct/${container}`);
  expect(resolver.client("cloud").url).toBe("https://azacct.blob.core.windows.net/c?sig=x");
});

test("a store that moved is followed", () => {
  const resolver = createDatastoreResolver(resources, scope);
  resolver.client("workspaceblobstore");
  presetDatastores(resources, scope, {
    protocol: "http",
    endpoint: "127.0.0.1:20000",
    accountName: "acct",
    accountKey: "a2V5",
  });
  expect(resolver.client("workspaceblobstore").url).toContain("127.0.0.1:20000");
});

test.each([
  ["wasbs://data@public.blob.core.windows.net/a/b.csv", "https://public.blob.core.windows.net/data", "a/b.csv"],
  ["abfss://data@public.dfs.core.windows.net/a/", "https://public.blob.core.windows.net/data", "a/"],
  ["https://public.blob.core.windows.net/data/a%20b", "https://public.blob.core.windows.net/data", "a b"],
  ["https://public.blob.core.windows.net/data/a?sig=x", "https://public.blob.core.windows.net/data?sig=x", "a"],
  ["http://127.0.0.1:10000/acct/open/a", "http://127.0.0.1:10000/acct/open", "a"],
])("%s may be a public place", (uri, address, path) => {
  const place = createDatastoreResolver(resources, scope).publicPlace(uri);
  expect([place?.container.url, place?.path]).toEqual([address, path]);
});

test.each(["https://example.com/data/a.csv", "azureml://datastores/none/paths/a", "/etc/passwd"])(
  "%s is none in blob storage",
  (uri) => {
    expect(createDatastoreResolver(resources, scope).publicPlace(uri)).toBeUndefined();
  },
);
