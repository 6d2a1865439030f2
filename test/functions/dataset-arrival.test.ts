import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DatasetDocument, DatasetList, EventList, RunDocument, RunList, VersionList } from "#shared/api.ts";
import { type DatasetWorld, startDatasetWorld } from "./dataset-world.ts";

const inputs = 'inputs: { data: "${{dataset.path}}", version: "${{dataset.version}}" }';
const declaration = (name: string, rule: string) =>
  `path: datasets/${name}/{version}/\npipeline: look\n${inputs}\n${rule}\n`;

let world: DatasetWorld;
beforeAll(async () => {
  world = await startDatasetWorld({
    four: declaration("four", "files: [a, b, c, d]\non_change: ignore"),
    quiet: declaration("quiet", "quiet_period: 2"),
    marked: declaration("marked", "ready: _READY"),
    late: declaration("late", "files: [a, b]\nmaximum_wait: 2"),
    anyway: declaration("anyway", "files: [a, b]\nmaximum_wait: 2\non_timeout: start"),
    nowhere: declaration("nowhere", "minimum_files: 1").replace("pipeline: look", "pipeline: gone"),
    broken: declaration("broken", "quite_period: 3"),
  });
});
afterAll(() => world.remove());

const folder = (dataset: string, version: string) => `datasets/${dataset}/${version}`;

async function runOf(runId: string | undefined): Promise<RunDocument> {
  if (runId === undefined) throw new Error("there is no run");
  return world.app.until(runId, ({ status }) => status === "completed");
}

const seenFiles = async (run: RunDocument) =>
  (await world.app.read(run.runId, "look", "seen", "files")).trim().split("\n");

/** The runs that one version has started, whoever counted them. */
async function runsFor(dataset: string, version: string): Promise<string[]> {
  const { runs } = RunList.parse(await (await world.app.call("runs?limit=200")).json());
  const documents = await Promise.all(runs.map(({ runId }) => world.app.getRun(runId)));
  return documents
    .map(({ document }) => document)
    .filter(({ tags }) => tags["mlpipe.dataset"] === dataset && tags["mlpipe.dataset_version"] === version)
    .map(({ runId }) => runId);
}

describe("a version of four files", () => {
  test("starts one run when the last of them is there, whatever the order and the way they were written", async () => {
    const at = folder("four", "v 1+ü");
    await world.putBlocks(`${at}/d`);
    await world.put(`${at}/README`);
    await world.put(`${at}/a`);
    await world.putBlocks(`${at}/c`);
    expect((await world.waiting("four", "v 1+ü", 3)).waiting?.missing).toEqual(["b"]);
    await world.put(`${at}/b`);

    const { arrivals, files, uri } = await world.arrival("four", "v 1+ü");
    expect(arrivals).toHaveLength(1);
    expect(arrivals[0]).toMatchObject({ status: "started", cause: "whole", files: 4, bytes: 4 });
    expect(files.map(({ path }) => path)).toEqual(["a", "b", "c", "d"]);
    const run = await runOf(arrivals[0]?.runId);
    expect(await seenFiles(run)).toEqual(["README", "a", "b", "c", "d"]);
    expect(run.displayName).toBe("four v 1+ü");
    expect(run.tags).toMatchObject({
      "mlpipe.dataset": "four",
      "mlpipe.dataset_version": "v 1+ü",
      "mlpipe.arrival": "1",
      "mlpipe.manifest": arrivals[0]?.manifest,
    });
    expect(uri).toMatch(/^azureml:\/\/datastores\/\w+\/paths\/datasets\/four\/v 1\+ü\/$/);
  });

  test("tells what became of each upload", async () => {
    const { runId } = (await world.arrival("four", "v 1+ü")).arrivals[0] ?? {};
    const events = (await world.events()).filter(({ version }) => version === "v 1+ü");
    const fates = Object.fromEntries(events.map(({ kind, file, fate }) => [file ?? kind, fate]));
    expect(fates).toMatchObject({ README: "ignored", arrival: "started" });
    const parts = events.filter(({ kind, fate }) => kind === "upload" && fate !== "ignored");
    expect(parts.map(({ file = "" }) => file).toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(parts.filter(({ fate }) => fate === "started")).toHaveLength(1);
    expect(parts.every((event) => event.runId === runId)).toBe(true);
    expect(events.map(({ time }) => time)).toEqual(
      events
        .map(({ time }) => time)
        .toSorted()
        .toReversed(),
    );
  });

  test("whose events come twice starts one run, and the second telling is told to be one", async () => {
    await world.controls.setEventFaults({ double: 1, subjectContains: "/four/twice/" });
    for (const file of ["a", "b", "c", "d"]) await world.put(`${folder("four", "twice")}/${file}`);
    await world.arrival("four", "twice");
    const events = await world.until("eight events", async () => {
      const found = await world.events("&dataset=four&version=twice");
      return found.filter(({ kind }) => kind === "upload").length === 8 ? found : undefined;
    });
    await world.controls.setEventFaults();
    expect(events.filter(({ fate }) => fate === "duplicate")).toHaveLength(4);
    expect(await runsFor("four", "twice")).toHaveLength(1);
  });

  test("whose events are all lost is found by the scan, once", async () => {
    await world.controls.setEventFaults({ lose: 1, subjectContains: "/four/lost/" });
    for (const file of ["a", "b", "c", "d"]) await world.put(`${folder("four", "lost")}/${file}`);
    await world.controls.setEventFaults();
    expect(await world.version("four", "lost")).toBeUndefined();
    // The store tells whole seconds: only what is older than that can be taken for older than the dataset.
    await sleep(1_100);
    await world.scan();
    const { arrivals } = await world.arrival("four", "lost");
    expect(arrivals).toMatchObject([{ number: 1, status: "started", files: 4 }]);
    expect(await world.events("&version=lost&fate=found")).toMatchObject([{ dataset: "four", files: 4 }]);
    await world.scan();
    await world.scan();
    await sleep(500);
    expect((await world.version("four", "lost"))?.arrivals).toHaveLength(1);
    expect(await runsFor("four", "lost")).toHaveLength(1);
  });

  test("with one event lost is whole as soon as its collector looks again by itself", async () => {
    await world.controls.setEventFaults({ lose: 1, subjectContains: "/four/partly/d" });
    for (const file of ["a", "b", "c", "d"]) await world.put(`${folder("four", "partly")}/${file}`);
    await world.controls.setEventFaults();
    expect((await world.arrival("four", "partly")).arrivals).toMatchObject([{ status: "started", files: 4 }]);
  });

  test("that changes after its run has started is left alone by its rule, and the change is told", async () => {
    const { runId } = (await world.arrival("four", "twice")).arrivals[0] ?? {};
    await world.put(`${folder("four", "twice")}/b`, "other");
    const changed = await world.until("the change is noted", async () => {
      const found = await world.version("four", "twice");
      return found?.arrivals[0]?.changedAfter === undefined ? undefined : found;
    });
    expect(changed.arrivals).toMatchObject([{ runId, changedAfter: { files: ["b"], count: 1, isIgnored: true } }]);
    const [event] = await world.events("&version=twice&fate=ignored");
    expect(event).toMatchObject({ file: "b", size: 5, reason: `on_change is \`ignore\` and run ${runId} has started` });
  });

  test("goes on collecting when the app was down in between", async () => {
    for (const file of ["a", "b"]) await world.put(`${folder("four", "down")}/${file}`);
    await world.waiting("four", "down", 2);
    await world.stop();
    await world.startAgain();
    for (const file of ["c", "d"]) await world.put(`${folder("four", "down")}/${file}`);
    expect((await world.arrival("four", "down")).arrivals).toMatchObject([{ status: "started", files: 4 }]);
  });
});

describe("a version with a quiet period", () => {
  test("is one arrival however many files it has, and a change makes a second", async () => {
    const at = folder("quiet", "1");
    await Promise.all(Array.from({ length: 20 }, (_, index) => world.put(`${at}/${index}`)));
    const first = await world.arrival("quiet", "1");
    expect(first.arrivals).toMatchObject([{ number: 1, status: "started", files: 20 }]);

    await world.put(`${at}/3`, "changed");
    await world.putBlocks(`${at}/new`);
    const second = await world.arrival("quiet", "1", 2);
    expect(second.arrivals).toMatchObject([
      { number: 1, changedAfter: { count: 2, isIgnored: false } },
      { number: 2, status: "started", files: 21 },
    ]);
    expect(new Set(second.arrivals.map(({ runId }) => runId)).size).toBe(2);
    expect(new Set(second.arrivals.map(({ manifest }) => manifest)).size).toBe(2);
    const fates = (await world.events("&dataset=quiet")).filter(({ file }) => file === "3" || file === "new");
    expect(fates.every(({ runId }) => second.arrivals.some((one) => one.runId === runId))).toBe(true);
  });
});

describe("a version with a marker", () => {
  test("waits for it, although the marker is empty and came first for a file without a byte", async () => {
    const at = folder("marked", "1");
    await world.put(`${at}/_READY`, "");
    await world.put(`${at}/a`, "");
    expect((await world.waiting("marked", "1", 0)).waiting?.missing).toEqual(["1 files (there are 0)"]);
    await world.put(`${at}/a`, "content");
    await world.put(`${at}/_READY`, "");
    expect((await world.arrival("marked", "1")).arrivals).toMatchObject([{ status: "started", files: 1, bytes: 7 }]);
    expect(await world.events("&dataset=marked&fate=ignored")).toMatchObject([{ file: "a", size: 0 }]);
  });
});

describe("a version that is not whole in time", () => {
  test("comes to nothing, says what was missing, and starts when that comes after all", async () => {
    await world.put(`${folder("late", "1")}/a`);
    const late = await world.arrival("late", "1");
    expect(late.arrivals).toMatchObject([{ status: "overdue", reason: "missing: b" }]);
    expect(late.arrivals[0]?.runId).toBeUndefined();
    expect((await world.events("&dataset=late&fate=overdue")).map(({ kind }) => kind).toSorted()).toEqual([
      "arrival",
      "upload",
    ]);
    await world.put(`${folder("late", "1")}/b`);
    expect((await world.arrival("late", "1", 2)).arrivals[1]).toMatchObject({ status: "started", files: 2 });
  });

  test("starts anyway where its rule says so", async () => {
    await world.put(`${folder("anyway", "1")}/a`);
    expect((await world.arrival("anyway", "1")).arrivals).toMatchObject([
      { status: "started", cause: "timeout", files: 1, reason: "missing: b" },
    ]);
  });
});

describe("an upload that starts nothing", () => {
  test("is refused with the reason that its pipeline gave, and can be started once that is mended", async () => {
    await world.put(`${folder("nowhere", "1")}/a`);
    const { arrivals } = await world.arrival("nowhere", "1");
    expect(arrivals).toMatchObject([{ status: "refused", reason: expect.stringContaining("gone") }]);
    expect(await world.events("&dataset=nowhere&fate=refused")).toMatchObject([
      { kind: "arrival" },
      { kind: "upload", file: "a" },
    ]);
    const answer = await world.app.call(`${world.versionPath("nowhere", "1")}/runs`, { method: "POST" });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("gone")]);
  });

  test("is refused where no dataset has its place, with the place that may have been meant", async () => {
    await world.put("datasets/foru/1/a");
    await world.put("datasets/broken/1/a");
    await world.until("two refusals", async () =>
      (await world.events("&fate=refused")).filter(({ dataset }) => dataset === undefined).length === 2
        ? true
        : undefined,
    );
    const refused = await world.events("&fate=refused");
    const reasons = Object.fromEntries(refused.map(({ file, reason }) => [file, reason]));
    expect(reasons["datasets/foru/1/a"]).toContain("did you mean datasets/four/?");
    expect(reasons["datasets/broken/1/a"]).toContain("dataset broken is not valid: `quite_period`");
  });
});

describe("an event that is made up", () => {
  const event = (changes: { url?: string; subject?: string; api?: string; eventTime?: string }) => ({
    id: "forged",
    topic: "t",
    eventType: "Microsoft.Storage.BlobCreated",
    eventTime: changes.eventTime ?? new Date().toISOString(),
    subject:
      changes.subject ??
      `/blobServices/default/containers/${world.container.containerName}/blobs/datasets/four/forged/a`,
    data: {
      api: changes.api ?? "PutBlob",
      eTag: "0x1",
      contentLength: 1,
      sequencer: "1",
      url: changes.url ?? `${world.storeUrl()}/datasets/four/forged/a`,
    },
    dataVersion: "",
    metadataVersion: "1",
  });

  test("for another account, another container or with two stories does nothing", async () => {
    const before = (await world.events()).length;
    const container = world.container.containerName;
    const forged = [
      event({ url: `https://evil.example/${container}/datasets/four/forged/a` }),
      event({ url: `${world.storeUrl().replace(container, "other")}/datasets/four/forged/a` }),
      event({ subject: `/blobServices/default/containers/other/blobs/datasets/four/forged/a` }),
      event({ subject: `/blobServices/default/containers/${container}/blobs/datasets/quiet/forged/a` }),
      event({
        url: `${world.storeUrl()}/mlpipe/runs/x`,
        subject: `/blobServices/default/containers/${container}/blobs/mlpipe/runs/x`,
      }),
      event({ api: "CreateFile" }),
      { nothing: true },
    ];
    expect(await world.deliver(forged)).toBe(202);
    expect(await world.deliver(forged, "wrong")).toBe(401);
    expect(await world.version("four", "forged")).toBeUndefined();
    expect((await world.events()).length).toBe(before);
  });

  test("about a file that is not there starts nothing", async () => {
    expect(await world.deliver([event({})])).toBe(202);
    await world.until("the collector has looked", async () => {
      const [upload] = await world.events("&version=forged");
      return upload;
    });
    await sleep(500);
    expect(await world.version("four", "forged")).toBeUndefined();
    expect(await runsFor("four", "forged")).toEqual([]);
  });

  test("from the year 9999 does not stay on top of the record", async () => {
    await world.deliver([
      event({
        eventTime: "9999-01-01T00:00:00Z",
        url: `${world.storeUrl()}/datasets/none/9/a`,
        subject: `/blobServices/default/containers/${world.container.containerName}/blobs/datasets/none/9/a`,
      }),
    ]);
    const [first] = await world.events("&fate=refused");
    expect(first?.file).toBe("datasets/none/9/a");
    expect(Date.parse(first?.time ?? "")).toBeLessThan(Date.now() + 11 * 60_000);
  });
});

describe("the API of datasets", () => {
  const registered = {
    path: "datasets/sent/{version}/",
    minimum_files: 1,
    pipeline: "look",
    inputs: { data: "${{dataset.path}}", version: "x" },
  };

  test("lists deployed ones, the broken one with its issue and line", async () => {
    const { datasets } = DatasetList.parse(await (await world.app.call("datasets")).json());
    expect(datasets.map(({ name }) => name)).toEqual([
      "anyway",
      "broken",
      "four",
      "late",
      "marked",
      "nowhere",
      "quiet",
    ]);
    expect(datasets.find(({ name }) => name === "broken")?.issues[0]).toMatchObject({
      file: "datasets/broken.yml",
      line: 4,
    });
    expect(datasets.find(({ name }) => name === "four")?.declaration["files"]).toEqual(["a", "b", "c", "d"]);
  });

  test("takes a declaration as JSON and as YAML, and forgets it", async () => {
    const put = await world.app.call("datasets/sent", { method: "PUT", body: { dataset: registered } });
    expect([put.status, DatasetDocument.parse(await put.json()).source]).toEqual([201, "registered"]);
    const again = await world.app.call("datasets/sent", {
      method: "PUT",
      body: declaration("sent", "minimum_files: 2"),
      headers: { "content-type": "application/yaml" },
    });
    expect([again.status, DatasetDocument.parse(await again.json()).declaration["minimum_files"]]).toEqual([200, 2]);
    expect((await world.app.call("datasets/sent", { method: "DELETE" })).status).toBe(204);
    expect((await world.app.call("datasets/sent")).status).toBe(404);
    expect((await world.app.call("datasets/sent", { method: "DELETE" })).status).toBe(404);
  });

  test("starts nothing of what lay there before, until it is asked to", async () => {
    await world.put(`${folder("sent", "old")}/a`);
    await sleep(1_100);
    await world.app.call("datasets/sent", { method: "PUT", body: { dataset: registered } });
    await world.scan();
    await sleep(500);
    expect(await world.version("sent", "old")).toBeUndefined();
    const answer = await world.app.call(`${world.versionPath("sent", "old")}/runs`, { method: "POST" });
    expect(answer.status).toBe(202);
    const run = RunDocument.parse(await answer.json());
    expect((await world.arrival("sent", "old")).arrivals).toMatchObject([
      { cause: "request", runId: run.runId, files: 1 },
    ]);
    const { versions } = VersionList.parse(await (await world.app.call("datasets/sent/versions")).json());
    expect(versions).toMatchObject([{ version: "old", arrivals: 1, status: "started", runId: run.runId }]);
  });

  test.each([
    ["a rule that nobody knows", "sent", { ...registered, quite_period: 3 }, 400, "quite_period"],
    ["a pipeline that is not there", "sent", { ...registered, pipeline: "gone" }, 404, "gone"],
    [
      "an input that the pipeline has not",
      "sent",
      { ...registered, inputs: { ...registered.inputs, dtaa: 1 } },
      400,
      "dtaa",
    ],
    ["a deployed dataset's name", "four", { ...registered }, 409, "deployed with the app"],
    ["a name that fits no path", "_x", registered, 400, "path name"],
  ])("refuses %s", async (_what, name, dataset, status, text) => {
    const answer = await world.app.call(`datasets/${name}`, { method: "PUT", body: { dataset } });
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(text)]);
  });

  test("refuses to start a version without files, or of nobody's dataset", async () => {
    const empty = await world.app.call("datasets/four/versions/none/runs", { method: "POST" });
    expect([empty.status, await empty.text()]).toEqual([404, expect.stringContaining("no file that counts")]);
    expect((await world.app.call("datasets/nobody/versions/1/runs", { method: "POST" })).status).toBe(404);
  });

  test("gives a place for uploads that the signature opens, and an upload there is an arrival", async () => {
    const answer = await world.app.call("datasets/sent/versions/up 1/uploads", { method: "POST" });
    const { url, sas } = (await answer.json()) as { url: string; sas: string };
    const put = await fetch(`${url}/a?${sas}`, {
      method: "PUT",
      headers: { "x-ms-blob-type": "BlockBlob" },
      body: "abc",
    });
    expect(put.status).toBe(201);
    expect((await world.arrival("sent", "up 1")).arrivals).toMatchObject([{ status: "started", bytes: 3 }]);
  });

  test("pages events, newest first, without a gap or a repeat", async () => {
    const all = await world.events();
    const paged: unknown[] = [];
    let path: string | undefined = "events?limit=7";
    while (path !== undefined) {
      const page: EventList = EventList.parse(await (await world.app.call(path)).json());
      expect(page.events.length).toBeLessThanOrEqual(7);
      paged.push(...page.events);
      path = page.nextLink?.slice(page.nextLink.indexOf("/api/") + 5);
    }
    expect(paged).toEqual(all);
  });
});
