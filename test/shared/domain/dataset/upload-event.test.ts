import { describe, expect, test } from "vitest";
import { pathInStore, plainEtag, readUploadEvent, uploadKey } from "#shared/domain/dataset/upload-event.ts";

const azure = { accountUrl: "https://acct.blob.core.windows.net", container: "c" };
const pathStyle = { accountUrl: "http://10.1.1.1:999/acct", container: "c" };

function event(path = "datasets/d/1/a.gz", changes: { data?: object; [field: string]: unknown } = {}) {
  const { data, ...rest } = changes;
  return {
    id: "x",
    topic: "t",
    eventType: "Microsoft.Storage.BlobCreated",
    subject: `/blobServices/default/containers/c/blobs/${path}`,
    eventTime: "2026-01-05T10:00:00.1234567Z",
    data: {
      api: "PutBlob",
      eTag: "0x8D4BCC2E4835CD0",
      contentLength: 5,
      url: `https://acct.blob.core.windows.net/c/${path.split("/").map(encodeURIComponent).join("/")}`,
      sequencer: "00000000000004420000000000028963",
      ...data,
    },
    ...rest,
  };
}

function upload(value: unknown = event()) {
  const read = readUploadEvent(value);
  if (read === undefined) throw new Error("it is no upload");
  return read;
}

describe("an upload event", () => {
  test("tells time, size, ETag and place", () => {
    expect(upload()).toMatchObject({
      time: "2026-01-05T10:00:00.123Z",
      size: 5,
      etag: "0x8D4BCC2E4835CD0",
      api: "PutBlob",
    });
    expect(pathInStore(upload(), azure)).toBe("datasets/d/1/a.gz");
  });

  test.each(["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"])("of %s is an upload", (api) => {
    expect(readUploadEvent(event(undefined, { data: { api } }))).toBeDefined();
  });

  test.each(["CreateFile", "SftpCreate"])("of %s comes before the content and is none", (api) => {
    expect(readUploadEvent(event(undefined, { data: { api, contentLength: 0 } }))).toBeUndefined();
  });

  test.each([
    ["another type", event(undefined, { eventType: "Microsoft.Storage.BlobDeleted" })],
    ["no time", event(undefined, { eventTime: "yesterday" })],
    ["no URL", event(undefined, { data: { url: undefined } })],
    ["nothing", undefined],
    ["a text", "x"],
  ])("with %s is none", (_what, value) => {
    expect(readUploadEvent(value)).toBeUndefined();
  });

  test("names the same place by the blob's and the file system's URL", () => {
    const dfs = upload(
      event(undefined, {
        data: { url: "https://acct.dfs.core.windows.net/c/datasets/d/1/a.gz", api: "FlushWithClose" },
      }),
    );
    expect(pathInStore(dfs, azure)).toBe("datasets/d/1/a.gz");
  });

  test("may have its account in the URL's path", () => {
    const local = upload(event(undefined, { data: { url: "http://10.1.1.1:999/acct/c/datasets/d/1/a.gz" } }));
    expect(pathInStore(local, pathStyle)).toBe("datasets/d/1/a.gz");
    expect(pathInStore(local, azure)).toBeUndefined();
  });

  test.each(["v 1+ü/ä b.gz", "50%/a#b?c.gz", "a%20b/x"])(
    "tells the blob's own name whatever its characters: %s",
    (name) => {
      const path = `datasets/d/${name}`;
      expect(pathInStore(upload(event(path)), azure)).toBe(path);
    },
  );

  test("with a subject that is percent-encoded too names the same blob", () => {
    const encoded = event("datasets/d/v 1/a", {
      subject: "/blobServices/default/containers/c/blobs/datasets/d/v%201/a",
    });
    expect(pathInStore(upload(encoded), azure)).toBe("datasets/d/v 1/a");
  });

  test.each([
    ["another account", { data: { url: "https://evil.blob.core.windows.net/c/datasets/d/1/a.gz" } }],
    [
      "another host that begins alike",
      { data: { url: "https://acct.blob.core.windows.net.evil.com/c/datasets/d/1/a.gz" } },
    ],
    ["another container", { data: { url: "https://acct.blob.core.windows.net/other/datasets/d/1/a.gz" } }],
    ["a container that begins alike", { data: { url: "https://acct.blob.core.windows.net/c2/datasets/d/1/a.gz" } }],
    ["a subject of another blob", { subject: "/blobServices/default/containers/c/blobs/datasets/d/2/a.gz" }],
    ["a subject of another container", { subject: "/blobServices/default/containers/c2/blobs/datasets/d/1/a.gz" }],
  ])("of %s is about no blob of ours", (_what, changes) => {
    expect(pathInStore(upload(event(undefined, changes)), azure)).toBeUndefined();
  });

  test("told twice, or by both endpoints, has one key; another write of the blob has another", async () => {
    const first = await uploadKey(upload());
    const dfs = { url: "https://acct.dfs.core.windows.net/c/datasets/d/1/a.gz", eTag: '"0x8D4BCC2E4835CD0"' };
    expect(await uploadKey(upload(event(undefined, { id: "other", data: dfs })))).toBe(first);
    expect(await uploadKey(upload(event(undefined, { data: { eTag: "0x9" } })))).not.toBe(first);
    expect(await uploadKey(upload(event(undefined, { data: { sequencer: "0001" } })))).not.toBe(first);
    expect(await uploadKey(upload(event("datasets/d/1/b.gz")))).not.toBe(first);
  });

  test("has an ETag without quotes", () => {
    expect([plainEtag('"0x1"'), plainEtag('W/"0x1"'), plainEtag("0x1")]).toEqual(["0x1", "0x1", "0x1"]);
  });
});
