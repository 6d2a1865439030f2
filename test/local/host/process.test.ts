import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HostKeys } from "#local/host/contract.ts";
import { createApp, createTempFolder, eventually, fixture } from "./start-app.ts";

const entry = join(import.meta.dirname, "..", "..", "..", "local", "host", "process.ts");

interface HostProcess {
  readonly child: ChildProcess;
  /** The first message it sends. */
  readonly message: Promise<{ type: string; url?: string; message?: string }>;
  readonly exit: Promise<number | null>;
}

function forkHost(options: object): HostProcess {
  const env = { PATH: process.env["PATH"], HUB: "tests" };
  const child = fork(entry, [JSON.stringify(options)], {
    execArgv: [],
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  return { child, exit, message: new Promise((resolve) => child.once("message", resolve as () => void)) };
}

describe("the host's process", () => {
  test("runs an orchestration, is killed, and the next one goes on with it", async () => {
    const stateFolder = createTempFolder();
    const first = forkHost({ appRoot: fixture("durable-app"), stateFolder, port: 0 });
    const { type, url } = await first.message;
    expect(type).toBe("ready");
    const keys = JSON.parse(readFileSync(join(stateFolder, "host-keys.json"), "utf8")) as HostKeys;
    const started = await fetch(`${url}/api/start`, { method: "POST", headers: { "x-functions-key": keys.default } });
    expect(started.status).toBe(202);
    const links = (await started.json()) as { id: string; statusQueryGetUri: string };
    expect(links.statusQueryGetUri).toContain(
      `${url}/runtime/webhooks/durabletask/instances/${links.id}?taskHub=tests`,
    );
    first.child.kill("SIGKILL");
    await first.exit;

    const second = forkHost({ appRoot: fixture("durable-app"), stateFolder, port: 0 });
    const base = `${(await second.message).url}/runtime/webhooks/durabletask/instances/${links.id}`;
    const code = `code=${keys.system.durabletask_extension}`;
    const headers = { "content-type": "application/json" };
    expect((await fetch(base)).status).toBe(401);
    expect((await fetch(`${base}/raiseEvent/go?${code}`, { method: "POST", body: "{}", headers })).status).toBe(202);
    const output = await eventually(async () => {
      const status = (await (await fetch(`${base}?${code}`)).json()) as { runtimeStatus: string; output: unknown };
      return status.runtimeStatus === "Completed" ? status.output : undefined;
    });
    expect(output).toEqual(["hello one", "hello two"]);
    second.child.kill("SIGTERM");
    expect(await second.exit).toBe(0);
  });

  test("ends when its parent is gone", async () => {
    const { child, message, exit } = forkHost({
      appRoot: fixture("durable-app"),
      stateFolder: createTempFolder(),
      port: 0,
    });
    await message;
    child.disconnect();
    expect(await exit).toBe(0);
  });

  test("says why it cannot start", async () => {
    const appRoot = createApp({ "main.js": 'throw new Error("no DB at AccountKey=hunter2hunter2")' });
    const failed = forkHost({ appRoot, stateFolder: createTempFolder(), port: 0 });
    const { type, message } = await failed.message;
    expect([type, await failed.exit]).toEqual(["failed", 1]);
    expect(message).toMatch(
      /^The host did not start: The app could not be loaded from .*main\.js: no DB at \[Hidden Credential\]$/,
    );
    expect((await forkHost({ port: 0 }).message).message).toContain("`appRoot` and `stateFolder` must be folders");
  });

  test("a port that is taken is named", async () => {
    const options = { appRoot: fixture("durable-app"), port: 0 };
    const { url = "" } = await forkHost({ ...options, stateFolder: createTempFolder() }).message;
    const port = Number(new URL(url).port);
    const second = await forkHost({ ...options, stateFolder: createTempFolder(), port }).message;
    expect(second.message).toContain(`Port ${port} on 127.0.0.1 is taken`);
  });

  test("an error that nobody catches ends it, as it ends the worker on Azure", async () => {
    const { child, message, exit } = forkHost({
      appRoot: fixture("durable-app"),
      stateFolder: createTempFolder(),
      port: 0,
    });
    const { url } = await message;
    const last = new Promise<{ message: string }>((resolve) => child.once("message", resolve as () => void));
    expect((await fetch(`${url}/api/breakdown`)).status).toBe(200);
    expect((await last).message).toBe("The app broke the worker: nobody catches [Hidden Credential]");
    expect(await exit).toBe(1);
  });
});
