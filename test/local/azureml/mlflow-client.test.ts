// The real MLflow client in a Python of its own, installed once into the folder that all runs of the tests share.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  type TestWorkspace,
} from "./start-test-workspace.ts";

const run = promisify(execFile);
const folder = join(tmpdir(), "mlpipe-test-mlflow-skinny");
const python = join(folder, "bin", "python");

async function findClient(): Promise<string | undefined> {
  try {
    if (!existsSync(python)) await run("python3", ["-m", "venv", folder]);
    await run(python, ["-m", "pip", "install", "--quiet", "mlflow-skinny==3.*"], { timeout: 120_000 });
    return undefined;
  } catch (error) {
    return `mlflow-skinny cannot be installed here: ${error instanceof Error ? error.message : String(error)}`;
  }
}
const obstacle = await findClient();
if (obstacle !== undefined) console.warn(obstacle);

let env: TestWorkspace;
beforeAll(async () => {
  env = await startTestWorkspace(await startBlobStore(), {}, createFakeExecutor({ isScripted: true }));
});
afterAll(async () => {
  await env.stop();
  await env.blobs.stop();
});

test.skipIf(obstacle !== undefined)(
  "an unmodified MLflow client resumes the job's run and logs into it",
  { timeout: 120_000 },
  async () => {
    await env.send({ method: "PUT", path: "jobs/client", body: commandJob(await registerEnvironment(env)) });
    const { serviceEnvironment } = await env.executor.started("client");
    const script = fileURLToPath(new URL("mlflow-client.py", import.meta.url));
    const { stdout } = await run(python, [script], {
      env: { PATH: process.env["PATH"], ...serviceEnvironment },
      timeout: 100_000,
    });
    expect(stdout).toContain("done");
    const answer = await fetch(`${env.workspace.mlflowUrl}/api/2.0/mlflow/runs/get?run_id=client`, {
      headers: { authorization: `Bearer ${serviceEnvironment["MLFLOW_TRACKING_TOKEN"]}` },
    });
    expect(await answer.json()).toMatchObject({
      run: {
        info: { status: "FINISHED" },
        data: {
          params: [
            { key: "batch", value: "256" },
            { key: "epochs", value: "3" },
            { key: "rate", value: "0.001" },
          ],
          metrics: expect.arrayContaining([
            expect.objectContaining({ key: "Final test accuracy", value: "NaN" }),
            expect.objectContaining({ key: "Loss", value: 0.3 }),
          ]),
        },
      },
    });
    expect(await env.blobs.list("ExperimentRun/dcid.client/", "workspaceartifactstore")).toEqual(
      expect.arrayContaining(["Loss v.s. Accuracy.png", "data.json", "notes/hello.txt"]),
    );
  },
);
