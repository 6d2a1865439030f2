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

  test("limit nothing by default, and runs, jobs and sizes where they say so", () => {
    expect(parseSettings(workspace, root).concurrency).toEqual({});
    const sizes = "Standard_A=2, Standard_B = 8";
    const limits = { MLPIPE_MAX_RUNS: "3", MLPIPE_MAX_JOBS: "9", MLPIPE_MAX_JOBS_PER_SIZE: sizes };
    expect(parseSettings({ ...workspace, ...limits }, root).concurrency).toEqual({
      maxRuns: 3,
      maxJobs: 9,
      maxJobsPerSize: { Standard_A: 2, Standard_B: 8 },
    });
    const wrong = { ...workspace, MLPIPE_MAX_JOBS: "0", MLPIPE_MAX_JOBS_PER_SIZE: "Standard_A" };
    expect(() => parseSettings(wrong, root)).toThrow(/MLPIPE_MAX_JOBS.*MLPIPE_MAX_JOBS_PER_SIZE: is a list like/s);
  });

  test("name the deployment, by the app's host where nothing else does", () => {
    const host = { ...workspace, WEBSITE_HOSTNAME: "app.azurewebsites.net" };
    expect(parseSettings(host, root).deployment).toBe("app.azurewebsites.net");
    expect(parseSettings({ ...host, MLPIPE_DEPLOYMENT: "blue" }, root).deployment).toBe("blue");
    expect(parseSettings(workspace, root).deployment).toBeUndefined();
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
