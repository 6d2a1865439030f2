import { expect, test } from "vitest";
import type { DatastoreResolver, JobExecution } from "#local/azureml/executor/contract.ts";
import { simulateJob } from "#local/azureml/executor/simulate-job.ts";

const root = "azureml://datastores/store/paths/";
const execution = {
  jobName: "run-node-1",
  outputs: {
    mlpipe_ended: { type: "uri_file", uri: `${root}run/node/1/.ended.json`, mode: "ReadWriteMount" },
    model: { type: "uri_file", uri: `${root}run/node/1/model/model.bin`, mode: "ReadWriteMount" },
    scores: { type: "uri_folder", uri: `${root}run/node/1/scores/`, mode: "ReadWriteMount" },
  },
} as unknown as JobExecution;

function createStore() {
  const written: string[] = [];
  const datastores = {
    resolve: (uri: string) => ({ datastore: "store", path: uri.slice(root.length) }),
    client: () => ({
      getBlockBlobClient: (path: string) => ({
        async upload(text: string) {
          await Promise.resolve();
          written.push(`${path} ${text.trim()}`);
        },
      }),
    }),
  } as unknown as DatastoreResolver;
  return { written, datastores };
}

test("a simulated job goes through its phases and writes its end marker last", async () => {
  const { written, datastores } = createStore();
  const phases: string[] = [];
  const signal = new AbortController().signal;
  const end = await simulateJob(execution, { ms: 0 }, datastores, (phase) => phases.push(phase), signal);
  expect(end).toEqual({ status: "Completed", exitCode: 0 });
  expect(phases).toEqual(["Preparing", "Running", "Finalizing"]);
  expect(written.toSorted()).toEqual([
    'run/node/1/.ended.json {"exitCode":0}',
    "run/node/1/model/model.bin simulated",
    "run/node/1/scores/simulated.txt simulated",
  ]);
  expect(written.at(-1)).toContain(".ended.json");
});

test("a simulated job that is cancelled writes nothing", async () => {
  const { written, datastores } = createStore();
  const controller = new AbortController();
  const running = simulateJob(execution, { ms: [60_000, 90_000] }, datastores, () => undefined, controller.signal);
  controller.abort();
  expect(await running).toEqual({ status: "Canceled", reason: "cancel" });
  expect(written).toEqual([]);
});
