import { expect, test } from "vitest";
import { createChildEnvironment, findCacheFolder } from "#local/stack-settings.ts";

test("nothing of the user's own Azure reaches a child, everything else does", () => {
  const own = {
    PATH: "/bin",
    HTTPS_PROXY: "http://proxy:3128",
    MLPIPE_LOG_LEVEL: "debug",
    AZURE_CLIENT_SECRET: "x",
    AZURE_TENANT_ID: "x",
    AZUREML_WORKSPACE_NAME: "x",
    ARM_CLIENT_SECRET: "x",
    IDENTITY_ENDPOINT: "x",
    MSI_SECRET: "x",
    MLFLOW_TRACKING_URI: "x",
    AzureWebJobsStorage: "x",
    MLPIPE_ACCESS_TOKEN: "x",
    MLPIPE_CREDENTIAL: "default",
    NODE_OPTIONS: "--inspect",
    NODE_EXTRA_CA_CERTS: "x",
  };
  expect(createChildEnvironment(own, "/cache")).toEqual({
    PATH: "/bin",
    HTTPS_PROXY: "http://proxy:3128",
    MLPIPE_LOG_LEVEL: "debug",
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
    NODE_COMPILE_CACHE: "/cache/node",
  });
});

test("what the user exempted from the proxy stays exempted", () => {
  expect(createChildEnvironment({ no_proxy: "example.org" }, "/cache").NO_PROXY).toBe(
    "example.org,127.0.0.1,localhost",
  );
});

test("the cache lies where the user says, else where the system keeps caches", () => {
  expect(findCacheFolder({ MLPIPE_CACHE: "/own", XDG_CACHE_HOME: "/xdg" })).toBe("/own");
  expect(findCacheFolder({ XDG_CACHE_HOME: "/xdg" })).toBe("/xdg/mlpipe");
  expect(findCacheFolder({ XDG_CACHE_HOME: "relative" })).toMatch(/\/\.cache\/mlpipe$/);
});
