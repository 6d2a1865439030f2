import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseSettings } from "#shared/settings.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mlpipe-settings-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const workspace = { AZURE_SUBSCRIPTION_ID: "s", AZURE_RESOURCE_GROUP: "g", AZUREML_WORKSPACE_NAME: "w" };

describe("settings", () => {
  test("name the workspace and have Azure's endpoints by default", () => {
    const settings = parseSettings(workspace, root);
    expect(settings.workspace).toEqual({ subscriptionId: "s", resourceGroup: "g", workspaceName: "w" });
    expect(settings.resourceManager.endpoint).toBe("https://management.azure.com");
    expect(settings.credential).toEqual({ kind: "default" });
  });

  test("tell everything that is missing at once", () => {
    const start = () => parseSettings({ MLPIPE_CREDENTIAL: "access-token", AZURE_RESOURCE_GROUP: "g" }, root);
    expect(start).toThrow(/AZURE_SUBSCRIPTION_ID, AZUREML_WORKSPACE_NAME, MLPIPE_ACCESS_TOKEN/);
  });

  test("tell everything that is wrong at once", () => {
    const start = () =>
      parseSettings(
        { ...workspace, MLPIPE_CREDENTIAL: "magic", AZURE_RESOURCE_MANAGER_ENDPOINT: "http://plain" },
        root,
      );
    expect(start).toThrow(/AZURE_RESOURCE_MANAGER_ENDPOINT.*MLPIPE_CREDENTIAL/s);
  });

  test("take a blank value for one that is not there", () => {
    expect(parseSettings({ ...workspace, MLPIPE_CLIENT_ID: "" }, root).credential).toEqual({ kind: "default" });
  });

  test("come from Azure ML's config.json in a folder above", () => {
    writeFileSync(
      join(root, "config.json"),
      JSON.stringify({ subscription_id: "1", resource_group: "2", workspace_name: "3" }),
    );
    const inner = join(root, "a", "b");
    mkdirSync(inner, { recursive: true });
    expect(parseSettings({}, inner).workspace).toEqual({ subscriptionId: "1", resourceGroup: "2", workspaceName: "3" });
  });

  test("pass over a config.json of something else", () => {
    const inner = join(root, "app");
    mkdirSync(inner);
    writeFileSync(
      join(root, "config.json"),
      JSON.stringify({ subscription_id: "1", resource_group: "2", workspace_name: "3" }),
    );
    writeFileSync(join(inner, "config.json"), JSON.stringify({ other: true }));
    expect(parseSettings({}, inner).workspace.workspaceName).toBe("3");
  });
});
