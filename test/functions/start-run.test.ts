// What of a run is there when one of its nodes cannot run: nothing.
import type { DurableClient } from "durable-functions";
import { expect, test } from "vitest";
import { createStartRun } from "#functions/start-run.ts";
import { readPrices } from "#shared/domain/cost/prices.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import { createLog } from "#shared/log.ts";
import type { Plans, StoredPlan } from "#shared/plans.ts";

/** @param refusals what the workspace has against nodes */
function createWorld(refusals: Record<string, string> = {}) {
  const stored = new Map<string, StoredPlan>();
  const started: string[] = [];
  const held = new Map(Object.entries(refusals));
  const plans = {
    find: (runId: string) => Promise.resolve(stored.get(runId)),
    get: (runId: string) => Promise.resolve(stored.get(runId)),
    create(runId: string, plan: StoredPlan) {
      if (stored.has(runId)) return Promise.resolve(false);
      stored.set(runId, plan);
      return Promise.resolve(true);
    },
  } as unknown as Plans;
  const client = {
    getStatus: (runId: string) =>
      started.includes(runId) ? Promise.resolve({ runtimeStatus: "Running" }) : Promise.reject(new Error("404")),
    startNew: (_name: string, { instanceId }: { instanceId: string }) => Promise.resolve(void started.push(instanceId)),
  } as unknown as DurableClient;
  const startRun = createStartRun({
    resolver: { component: () => Promise.resolve(undefined), data: () => Promise.resolve(undefined) },
    admission: { refusals: () => Promise.resolve(held) },
    machinesPerJob: 1,
    plans,
    prices: readPrices(undefined),
    archive: { find: () => Promise.resolve(undefined) },
    notifications: { tell: () => Promise.resolve() },
    log: createLog("error"),
  });
  return { stored, held, startRun, client };
}

const environment = { image: "x" };
const document = {
  type: "pipeline",
  jobs: {
    get: { type: "command", command: "true", environment },
    train: {
      type: "command",
      command: "true",
      environment,
      distribution: { type: "pytorch" },
      resources: { instance_count: 2 },
    },
  },
} as const satisfies PipelineDocument;
const { get } = document.jobs;

test("what the app knows and what the workspace says are told at once, and nothing is stored", async () => {
  const { stored, startRun, client } = createWorld({ get: "no index has it" });
  await expect(startRun.start(client, { document }, "key")).rejects.toMatchObject({
    code: "InvalidRequest",
    issues: [
      { path: "jobs.train", message: expect.stringContaining("a job of 2 machines") },
      { path: "jobs.get", message: "node `get` cannot run: no index has it" },
    ],
  });
  await expect(startRun.startAs(client, "r", () => Promise.resolve({ document }))).rejects.toThrow("cannot run");
  expect(stored.size).toBe(0);
});

test("a node of a sub-pipeline is shown where it stands", async () => {
  const { startRun, client } = createWorld({ "inner.get": "no index has it" });
  await expect(startRun.start(client, { document: { type: "pipeline", jobs: { get } } })).rejects.toMatchObject({
    issues: [{ path: "jobs.inner.component.jobs.get" }],
  });
});

test("a run that was begun is found again, whatever the workspace would say today", async () => {
  const { held, stored, startRun, client } = createWorld();
  const request = { document: { type: "pipeline", jobs: { get } } } as const;
  const runId = await startRun.start(client, request, "key");
  held.set("get", "no index has it");
  expect(await startRun.start(client, request, "key")).toBe(runId);
  expect([...stored.keys()]).toEqual([runId]);
});
