// What the suite runs against: an app that is given (`MLPIPE_URL`, `MLPIPE_KEY`), or one embedded stack for all its files.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type Stack, startStack } from "#local/stack.ts";
import type { AppUnderTest } from "./app.ts";

declare module "vitest" {
  interface ProvidedContext {
    app: AppUnderTest;
  }
}

let stack: Stack | undefined;
let home: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  const { MLPIPE_URL: url, MLPIPE_KEY: key } = process.env;
  if (url !== undefined && key !== undefined) {
    project.provide("app", { url: url.replace(/\/$/, ""), key });
    return;
  }
  home = await mkdtemp(join(tmpdir(), "mlpipe-suite-"));
  stack = await startStack({ home, environment: { MLPIPE_PIPELINES: "test/suite/pipelines" } });
  const { storage, workspace } = stack;
  project.provide("app", {
    url: stack.url,
    key: stack.key,
    embedded: { storage, workspace, hostPid: stack.pids().host },
  });
}

export async function teardown(): Promise<void> {
  await stack?.stop();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
}
