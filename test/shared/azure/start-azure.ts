// Our clients against the workspace's emulator, over https as in earnest.
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createBlobs } from "#shared/azure/blob.ts";
import { createMlClient } from "#shared/azure/ml-client.ts";
import { createMl } from "#shared/azure/ml.ts";
import type { Settings } from "#shared/settings.ts";
import {
  group,
  startBlobStore,
  startTestWorkspace,
  subscriptionId,
  token,
  workspaceName,
} from "../../local/azureml/start-test-workspace.ts";

export const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };

/** What the app's settings say of where the workspace is. */
export function settingsOf(endpoint: string): Pick<Settings, "workspace" | "resourceManager"> {
  return {
    workspace: { subscriptionId, resourceGroup: group, workspaceName },
    resourceManager: { endpoint, audience: "https://management.azure.com" },
  };
}

export async function startAzure() {
  const store = await startBlobStore();
  const test = await startTestWorkspace(store);
  // What NODE_EXTRA_CA_CERTS does for a process from its start.
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(test.workspace.caFile, "utf8")]);
  const ml = createMl(createMlClient(settingsOf(test.workspace.url), credential));
  return {
    test,
    ml,
    blobs: createBlobs(ml, credential),
    /** Another client, which remembers no trouble of the first. */
    freshMl: () => createMl(createMlClient(settingsOf(test.workspace.url), credential)),
    faults: (body: object) => test.send({ method: "POST", path: "/_embedded/faults", body }),
    async close() {
      await test.stop();
      await store.stop();
    },
  };
}
