// An embedded stack with one small pipeline, and hands to upload into it, to lose its events and to let its scan run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { type Stack, startStack } from "#local/stack.ts";
import { type EventDocument, EventList, VersionDocument, VersionList } from "#shared/api.ts";
import { createApp } from "#test/suite/app.ts";
import { createControls } from "#test/suite/controls.ts";

/** Writes down which files it was given. */
const pipeline = `
type: pipeline
inputs:
  data: { type: uri_folder }
  version: { type: string }
jobs:
  look:
    type: command
    command: ls "\${{inputs.data}}" > "\${{outputs.seen}}/files"
    environment: { image: busybox }
    inputs: { data: "\${{parent.inputs.data}}" }
    outputs: { seen: { type: uri_folder } }
`;

export type DatasetWorld = Awaited<ReturnType<typeof startDatasetWorld>>;

/** @param declarations YAML of deployed datasets by name */
export async function startDatasetWorld(
  declarations: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
) {
  const home = mkdtempSync(join(tmpdir(), "mlpipe-datasets-"));
  const folders = { pipelines: join(home, "app", "pipelines"), datasets: join(home, "app", "datasets") };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  writeFileSync(join(folders.pipelines, "look.yml"), pipeline);
  for (const [name, text] of Object.entries(declarations)) writeFileSync(join(folders.datasets, `${name}.yml`), text);
  const start = () =>
    startStack({
      home: join(home, "stack"),
      environment: {
        MLPIPE_PIPELINES: relative(process.cwd(), folders.pipelines),
        MLPIPE_DATASETS: relative(process.cwd(), folders.datasets),
        ...environment,
      },
    });
  let stack: Stack = await start();
  const keys = JSON.parse(readFileSync(join(home, "stack", "host", "host-keys.json"), "utf8")) as {
    master: string;
    system: { eventgrid_extension: string; durabletask_extension: string };
  };
  const app = createApp(stack);
  const container = await findContainer(stack.storage.connectionString);

  async function getJson<T>(schema: { parse(value: unknown): T }, path: string): Promise<T> {
    const answer = await app.call(path);
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return schema.parse(await answer.json());
  }

  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 600; tries += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(50);
    }
    throw new Error(`it never came to this: ${what}`);
  }

  const versionPath = (dataset: string, version: string) =>
    `datasets/${dataset}/versions/${encodeURIComponent(version)}`;

  async function version(dataset: string, name: string): Promise<VersionDocument | undefined> {
    const answer = await app.call(versionPath(dataset, name));
    if (answer.status === 404) return undefined;
    return VersionDocument.parse(await answer.json());
  }

  return {
    app,
    container,
    controls: createControls(stack),
    versionPath,
    version,
    until,

    /** One PUT of the whole content. */
    async put(path: string, text = "x"): Promise<void> {
      await container.getBlockBlobClient(path).upload(text, Buffer.byteLength(text));
    },

    /** Blocks first, then their list. */
    async putBlocks(path: string, text = "x"): Promise<void> {
      const blob = container.getBlockBlobClient(path);
      const id = Buffer.from("block-0000").toString("base64");
      await blob.stageBlock(id, text, Buffer.byteLength(text));
      await blob.commitBlockList([id]);
    },

    /** The version once its latest arrival is this one and decided. */
    arrival: (dataset: string, name: string, number = 1) =>
      until(`arrival ${number} of ${dataset} ${name}`, async () => {
        const found = await version(dataset, name);
        const last = found?.arrivals.at(-1);
        return last !== undefined && last.number >= number && last.status !== "starting" ? found : undefined;
      }),

    /** The version once its collector says what it waits for. */
    waiting: (dataset: string, name: string, files: number) =>
      until(`${dataset} ${name} waits with ${files} files`, async () => {
        const found = await version(dataset, name);
        // Nothing is missing as long as it has not looked.
        return found?.waiting?.files === files && found.waiting.missing.length > 0 ? found : undefined;
      }),

    /** Every event on record, newest first. */
    async events(query = ""): Promise<EventDocument[]> {
      const found: EventDocument[] = [];
      let path: string | undefined = `events?limit=500${query}`;
      while (path !== undefined) {
        const page: EventList = await getJson(EventList, path);
        found.push(...page.events);
        path = page.nextLink === undefined ? undefined : page.nextLink.slice(page.nextLink.indexOf("/api/") + 5);
      }
      return found;
    },

    /** Versions whose latest arrival has its run. */
    async startedVersions(dataset: string): Promise<string[]> {
      const found: string[] = [];
      let path: string | undefined = `datasets/${dataset}/versions?limit=200`;
      while (path !== undefined) {
        const page: VersionList = await getJson(VersionList, path);
        found.push(...page.versions.filter(({ status }) => status === "started").map(({ version: name }) => name));
        path = page.nextLink === undefined ? undefined : page.nextLink.slice(page.nextLink.indexOf("/api/") + 5);
      }
      return found;
    },

    /** Every run that exists for the dataset, as the runs' own tags say. */
    async startedRuns(dataset: string): Promise<{ version: string; runId: string }[]> {
      const found: { version: string; runId: string }[] = [];
      for await (const { name } of container.listBlobsFlat({ prefix: "mlpipe/runs/" })) {
        if (!name.endsWith("/plan.json")) continue;
        const { plan } = JSON.parse((await container.getBlobClient(name).downloadToBuffer()).toString()) as {
          plan: { tags: Record<string, string> };
        };
        const { "mlpipe.dataset": owner, "mlpipe.dataset_version": of } = plan.tags;
        if (owner === dataset && of !== undefined) found.push({ version: of, runId: name.split("/")[2] ?? "" });
      }
      return found;
    },

    pause: (milliseconds: number) => sleep(milliseconds),

    /** Lets the scan run now; returns when it has been started, not when it has ended. */
    async scan(): Promise<void> {
      const answer = await fetch(`${stack.url}/admin/functions/reconcileDatasets`, {
        method: "POST",
        headers: { "x-functions-key": keys.master, "content-type": "application/json" },
        body: "{}",
      });
      if (answer.status !== 202) throw new Error(`the scan answers ${answer.status}`);
    },

    /** Delivers events as Event Grid does. @returns the status of the answer */
    async deliver(events: readonly unknown[], key = keys.system.eventgrid_extension): Promise<number> {
      const answer = await fetch(`${stack.url}/runtime/webhooks/EventGrid?functionName=datasetArrived&code=${key}`, {
        method: "POST",
        headers: { "content-type": "application/json", "aeg-event-type": "Notification" },
        body: JSON.stringify(events),
      });
      return answer.status;
    },

    /** Names of the activities that an instance has called, in order. */
    async activitiesOf(instanceId: string): Promise<string[]> {
      const query = `showHistory=true&code=${keys.system.durabletask_extension}`;
      const answer = await fetch(`${stack.url}/runtime/webhooks/durabletask/instances/${instanceId}?${query}`);
      const { historyEvents } = (await answer.json()) as {
        historyEvents: { EventType: string; FunctionName?: string; Name?: string }[];
      };
      return historyEvents.flatMap(({ EventType, FunctionName, Name }) =>
        EventType === "TaskCompleted" || EventType === "TaskScheduled" ? (FunctionName ?? Name ?? []) : [],
      );
    },

    logFile: (part: string) => join(home, "stack", "logs", `${part}.log`),

    /** Base of the URLs in events. */
    storeUrl: () => container.url,

    async stop(): Promise<void> {
      await stack.stop();
    },

    async startAgain(): Promise<void> {
      stack = await start();
    },

    async remove(): Promise<void> {
      await stack.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function findContainer(connectionString: string): Promise<ContainerClient> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  for await (const { name } of service.listContainers()) {
    if (name.startsWith("azureml-blobstore-")) return service.getContainerClient(name);
  }
  throw new Error("the stack has no container for data");
}
