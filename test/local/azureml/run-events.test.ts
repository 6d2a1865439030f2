import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { FaultsInput } from "#local/azureml/faults.ts";
import type { JobEnd } from "#local/azureml/executor/contract.ts";
import { startEndpoint } from "../storage/start-storage.ts";
import type { BlobStore } from "./executor/start-blob-store.ts";
import { createFakeExecutor } from "./fake-executor.ts";
import {
  commandJob,
  registerEnvironment,
  startBlobStore,
  startTestWorkspace,
  workspacePath,
  type TestWorkspace,
} from "./start-test-workspace.ts";

let blobs: BlobStore;
let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
let env: TestWorkspace | undefined;
beforeAll(async () => {
  blobs = await startBlobStore();
});
afterEach(async () => {
  await env?.stop();
  endpoint.close();
});
afterAll(() => blobs.stop());

async function open(faults: FaultsInput = {}, answer?: Parameters<typeof startEndpoint>[0]): Promise<TestWorkspace> {
  endpoint = await startEndpoint(answer);
  env = await startTestWorkspace(
    blobs,
    { eventEndpoints: [endpoint.url], eventRetryScale: 0.001, faults },
    createFakeExecutor({ isScripted: true }),
  );
  return env;
}
async function run(workspace: TestWorkspace, name: string, end: JobEnd): Promise<void> {
  await workspace.send({
    method: "PUT",
    path: `jobs/${name}`,
    body: { properties: { ...commandJob(await registerEnvironment(workspace)).properties, tags: { a: "1" } } },
  });
  await workspace.executor.started(name);
  workspace.executor.end(name, end);
}
const completed: JobEnd = { status: "Completed", exitCode: 0 };

test("a completed job raises RunCompleted after the handshake", async () => {
  await run(await open(), "good", completed);
  const [event] = await endpoint.received(1);
  expect(endpoint.validations()).toBe(1);
  expect(endpoint.delivered[0]?.headers["aeg-event-type"]).toBe("Notification");
  expect(event).toMatchObject({
    topic: workspacePath,
    subject: expect.stringMatching(/^experiments\/[0-9a-f-]{36}\/runs\/good$/),
    eventType: "Microsoft.MachineLearningServices.RunCompleted",
    data: { experimentName: "Default", runId: "good", runType: null, runTags: { a: "1" } },
  });
});

test("when the event comes a poll says the same", async () => {
  const workspace = await open();
  await run(workspace, "told", completed);
  await endpoint.received(1);
  expect((await workspace.send({ path: "jobs/told" })).body).toMatchObject({ properties: { status: "Completed" } });
});

test("a failed job raises RunStatusChanged and a canceled one nothing", async () => {
  const workspace = await open();
  await run(workspace, "canceled", { status: "Canceled", reason: "timeout" });
  await run(workspace, "bad", { status: "Failed", code: "UserError", message: "no" });
  const events = await endpoint.received(1);
  expect(events.map(({ eventType, data }) => [eventType, data])).toEqual([
    [
      "Microsoft.MachineLearningServices.RunStatusChanged",
      expect.objectContaining({ runId: "bad", runStatus: "failed" }),
    ],
  ]);
});

test("an endpoint that refuses at first gets the event again", async () => {
  await run(await open({}, (_delivered, nth) => (nth === 1 ? 500 : 200)), "again", completed);
  const events = await endpoint.received(2);
  expect(new Set(events.map(({ id }) => id)).size).toBe(1);
});

test("events can be doubled and lost", async () => {
  const workspace = await open({ events: { next: { double: 1, lose: 0, delay: 0, reorder: 0 } } });
  await run(workspace, "doubled", completed);
  await endpoint.received(2);
  await workspace.send({
    method: "POST",
    path: "/_embedded/faults",
    body: { events: { next: { lose: 1, double: 0, delay: 0, reorder: 0 } } },
  });
  await run(workspace, "lost", completed);
  await run(workspace, "after", completed);
  const events = await endpoint.received(3);
  expect(events.map(({ data }) => (data as { runId: string }).runId)).toEqual(["doubled", "doubled", "after"]);
});
