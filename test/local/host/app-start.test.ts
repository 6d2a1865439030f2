import { describe, expect, test } from "vitest";
import { createApp, eventually, fixture, startApp } from "./start-app.ts";

const app = 'import { app } from "@azure/functions";';

describe("loading an app", () => {
  test("a CommonJS app whose main is a glob is loaded whole", async () => {
    const { url } = await startApp(fixture("cjs-app"));
    expect(await (await fetch(`${url}/api/hello?name=you`)).json()).toEqual({ hello: "you" });
  });

  test("a registration that comes after the start throws", async () => {
    const { url } = await startApp(fixture("cjs-app"));
    const outcome = await eventually(async () => {
      const text = await (await fetch(`${url}/api/late`)).text();
      return text === "nothing yet" ? undefined : text;
    });
    expect(outcome).toContain("can only be registered during app startup");
  });

  test("two functions of one name, also in other capitals, are refused", async () => {
    const main = `${app} app.get("twin", () => ({})); app.get("Twin", () => ({}));`;
    await expect(startApp(createApp({ "main.js": main }))).rejects.toThrow(
      'A function named "twin" is already registered',
    );
  });

  test("a name the host does not allow is refused", async () => {
    const main = `${app} app.get("1st", () => ({}));`;
    await expect(startApp(createApp({ "main.js": main }))).rejects.toThrow('The function name "1st" is not allowed');
  });

  test("an unknown hook is a RangeError of the system", async () => {
    const main = `
      ${app}
      import { createRequire } from "node:module";
      const core = createRequire(import.meta.url)("@azure/functions-core");
      let seen;
      try { core.registerHook("noSuchHook", () => {}); } catch (error) { seen = [error instanceof RangeError, error.isAzureFunctionsSystemError]; }
      app.get("seen", () => ({ jsonBody: seen }));`;
    const { url } = await startApp(createApp({ "main.js": main }));
    expect(await (await fetch(`${url}/api/seen`)).json()).toEqual([true, true]);
  });

  test("an ESM import of the core module fails, as on the real worker", async () => {
    const main = `${app} import "@azure/functions-core"; app.get("x", () => ({}));`;
    await expect(startApp(createApp({ "main.js": main }))).rejects.toThrow(
      "Cannot find package '@azure/functions-core'",
    );
  });

  test("an app that throws, has no entry or registers nothing blocks the start and says why", async () => {
    const start = (files: Record<string, string>) => startApp(createApp(files));
    await expect(start({ "main.js": 'throw new Error("bad day")' })).rejects.toThrow(
      /could not be loaded from .*main\.js: bad day/,
    );
    await expect(start({})).rejects.toThrow("matches no file. Build the app first.");
    await expect(start({ "main.js": "export {}" })).rejects.toThrow("registers no function");
    await expect(start({ "main.js": "", "host.json": "{" })).rejects.toThrow(/host\.json cannot be read as JSON/);
    await expect(start({ "main.js": "", "host.json": '{"version":"2.0","functionTimeout":"soon"}' })).rejects.toThrow(
      "`functionTimeout` must be",
    );
  });

  test("the app finds the environment a host provides, and settings do not override it", async () => {
    const main = `${app} app.get("env", () => ({ jsonBody: process.env }));`;
    const settings = '{"Values":{"FROM_FILE":"file","FROM_BOTH":"file"}}';
    const { url } = await startApp(createApp({ "main.js": main, "local.settings.json": settings }), {
      env: { FROM_BOTH: "environment" },
    });
    expect(await (await fetch(`${url}/api/env`)).json()).toMatchObject({
      FUNCTIONS_WORKER_RUNTIME: "node",
      AZURE_FUNCTIONS_ENVIRONMENT: "Development",
      WEBSITE_HOSTNAME: new URL(url).host,
      FROM_FILE: "file",
      FROM_BOTH: "environment",
    });
  });
});
