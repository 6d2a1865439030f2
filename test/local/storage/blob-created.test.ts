import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { accountName, startEndpoint, startStorage, topic } from "./start-storage.ts";

describe("the storage account tells of every blob that is created", () => {
  let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
  let storage: Awaited<ReturnType<typeof startStorage>>;
  const container = "events";

  beforeAll(async () => {
    endpoint = await startEndpoint();
    storage = await startStorage({ subscriptions: [{ name: "all", endpoint: endpoint.url }] });
    await storage.blobs.createContainer(container);
  });
  afterAll(async () => {
    await storage.close();
    endpoint.close();
  });
  beforeEach(() => {
    endpoint.delivered.length = 0;
  });

  test("a blob put at once raises PutBlob with every field of the schema", async () => {
    const blob = storage.blobs.getContainerClient(container).getBlockBlobClient("a folder/Loss v.s. Accuracy.png");
    const answer = await blob.upload("picture", 7, {
      blobHTTPHeaders: { blobContentType: "image/png" },
    });
    const [event] = await endpoint.received(1);
    expect(event).toEqual({
      topic,
      subject: `/blobServices/default/containers/${container}/blobs/a folder/Loss v.s. Accuracy.png`,
      eventType: "Microsoft.Storage.BlobCreated",
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      data: {
        api: "PutBlob",
        clientRequestId: answer.clientRequestId,
        requestId: answer.requestId,
        eTag: answer.etag?.replaceAll('"', ""),
        contentType: "image/png",
        contentLength: 7,
        blobType: "BlockBlob",
        url: `${storage.url}/${accountName}/${container}/a%20folder/Loss%20v.s.%20Accuracy.png`,
        sequencer: expect.stringMatching(/^[0-9a-f]{32}$/),
        storageDiagnostics: { batchId: expect.any(String) },
      },
      dataVersion: "",
      metadataVersion: "1",
    });
    expect(endpoint.delivered[0]?.headers).toMatchObject({
      "aeg-event-type": "Notification",
      "aeg-subscription-name": "ALL",
      "aeg-delivery-count": "0",
    });
  });

  test("committed blocks raise one PutBlockList with the length of the whole blob", async () => {
    const blob = storage.blobs.getContainerClient(container).getBlockBlobClient("blocks.csv");
    const [first, second] = [Buffer.from("block-1").toString("base64"), Buffer.from("block-2").toString("base64")];
    await blob.stageBlock(first, "1234", 4);
    await blob.stageBlock(second, "567890", 6);
    await blob.commitBlockList([first, second], {
      blobHTTPHeaders: { blobContentType: "text/csv" },
    });
    const events = await endpoint.received(1);
    expect(events.map(({ data }) => data)).toEqual([
      expect.objectContaining({
        api: "PutBlockList",
        contentLength: 10,
        contentType: "text/csv",
        blobType: "BlockBlob",
      }),
    ]);
  });

  test("a copy raises CopyBlob for its target", async () => {
    const folder = storage.blobs.getContainerClient(container);
    await folder.getBlockBlobClient("source").upload("12345", 5);
    await (await folder.getBlobClient("target").beginCopyFromURL(folder.getBlobClient("source").url)).pollUntilDone();
    const [, copied] = await endpoint.received(2);
    expect(copied?.subject).toBe(`/blobServices/default/containers/${container}/blobs/target`);
    expect(copied?.data).toMatchObject({ api: "CopyBlob", contentLength: 5 });
  });

  test("sequencers of one blob grow with its versions, also over a restart", async () => {
    const blob = storage.blobs.getContainerClient(container).getBlockBlobClient("again");
    await blob.upload("1", 1);
    await blob.upload("2", 1);
    await endpoint.received(2);
    await storage.restart();
    await blob.upload("3", 1);
    const events = await endpoint.received(3);
    const [first = "", second = "", third = ""] = events.map(({ data }) => (data as { sequencer: string }).sequencer);
    expect(first).not.toBe(second);
    expect(third > first && third > second).toBe(true);
  });

  test("what creates no blob raises nothing", async () => {
    const folder = storage.blobs.getContainerClient(container);
    const blob = folder.getBlockBlobClient("quiet");
    await blob.upload("text", 4);
    await endpoint.received(1);
    await blob.setMetadata({ some: "thing" });
    await blob.stageBlock(Buffer.from("lonely").toString("base64"), "x", 1);
    await blob.createSnapshot();
    await blob.upload("refused", 7, { conditions: { ifNoneMatch: "*" } }).catch(() => undefined);
    const appended = folder.getAppendBlobClient("log");
    await appended.create();
    await appended.appendBlock("line", 4);
    await blob.delete({ deleteSnapshots: "include" });
    await storage.blobs.createContainer("another");
    await folder.getBlockBlobClient("last").upload("x", 1);
    const events = await endpoint.received(3);
    expect(events.map(({ subject }) => subject.split("/").at(-1))).toEqual(["quiet", "log", "last"]);
  });

  test("the key in the endpoint's address stays out of the log", () => {
    expect(storage.output()).toContain("event delivered");
    expect(storage.output()).not.toContain("secret-of-the-endpoint");
  });
});
