import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAzure } from "./start-azure.ts";

let azure: Awaited<ReturnType<typeof startAzure>>;
beforeAll(async () => {
  azure = await startAzure();
});
afterAll(() => azure.close());

describe("blobs of the workspace's own store", () => {
  test("are written, listed, measured and read in part, whatever their names", async () => {
    const { blobs } = azure;
    const name = "Loss v.s. Accuracy é #1 100%.png";
    await blobs.write(`parts/${name}`, Buffer.from("0123456789"));
    await blobs.write("parts/deep/empty", Buffer.alloc(0));
    expect(await blobs.size(`parts/${name}`)).toBe(10);
    const files = await blobs.list("parts");
    expect(files.map(({ path, size }) => [path, size])).toEqual([
      [name, 10],
      ["deep/empty", 0],
    ]);
    expect(await blobs.list("parts", 1)).toHaveLength(1);
    expect((await blobs.listFile(`parts/${name}`)).map(({ path }) => path)).toEqual([name]);
    const part = await blobs.read(`parts/${name}`, 3, 4);
    expect(Buffer.concat(await (part?.stream.toArray() ?? [])).toString()).toBe("3456");
    expect(await blobs.readText(`parts/${name}`)).toBe("0123456789");
    expect(await blobs.urlOf(`parts/${name}`)).toMatch(
      /\/parts\/Loss%20v\.s\.%20Accuracy%20%C3%A9%20%231%20100%25\.png$/,
    );
    expect(await blobs.uriOf("parts/x")).toBe("azureml://datastores/workspaceblobstore/paths/parts/x");
  });

  test("that are not there are undefined or nothing, never an error", async () => {
    const { blobs } = azure;
    expect(await blobs.readText("nothing")).toBeUndefined();
    expect(await blobs.size("nothing")).toBeUndefined();
    expect(await blobs.read("nothing")).toBeUndefined();
    expect(await blobs.list("nothing")).toEqual([]);
    expect(await blobs.listFile("nothing")).toEqual([]);
  });

  test("are made once: who comes second changes nothing", async () => {
    const answers = await Promise.all(
      ["first", "second", "third"].map((text) => azure.blobs.createText("once.json", JSON.stringify({ text }))),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
    const written = await azure.blobs.readText("once.json");
    expect(await azure.blobs.createText("once.json", "{}")).toBe(false);
    expect(await azure.blobs.readText("once.json")).toBe(written);
  });

  test("are read whole, as they were at one moment, while somebody writes them over", async () => {
    const { blobs } = azure;
    const versions = Array.from({ length: 60 }, (_, index) => `begin ${"x".repeat(7 * (index % 9))} end`);
    await blobs.writeText("hot.json", versions[0] ?? "");
    const writing = (async () => {
      for (const text of versions) await blobs.writeText("hot.json", text);
    })();
    let isOver = false;
    void writing.finally(() => (isOver = true));
    const seen = new Set<string | undefined>();
    while (!isOver)
      for (const text of await Promise.all([1, 2, 3].map(() => blobs.readText("hot.json")))) seen.add(text);
    await writing;
    expect([...seen].filter((text) => !versions.includes(text ?? ""))).toEqual([]);
  });

  test("may be written by who holds an upload's signature, and read by no such one", async () => {
    const { containerUrl, sas, expires } = await azure.blobs.uploadSignature();
    const url = `${containerUrl}/uploads/file.txt?${sas}`;
    const headers = { "x-ms-blob-type": "BlockBlob" };
    expect((await fetch(url, { method: "PUT", headers, body: "sent" })).status).toBe(201);
    expect(await azure.blobs.readText("uploads/file.txt")).toBe("sent");
    for (const method of ["GET", "HEAD", "DELETE"]) expect((await fetch(url, { method })).status).toBe(403);
    const minutes = (Date.parse(expires) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(20);
    expect(minutes).toBeLessThanOrEqual(30);
  });
});

describe("blobs of another store", () => {
  test("are read there, and a store that the workspace does not have is named", async () => {
    const { containerUrl } = await azure.blobs.uploadSignature("workspaceartifactstore");
    expect(containerUrl).toMatch(/\/azureml$/);
    expect(await azure.blobs.size("nothing", "workspaceartifactstore")).toBeUndefined();
    await expect(azure.blobs.size("x", "nowhere")).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("nowhere"),
    });
  });
});
