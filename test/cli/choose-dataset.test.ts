import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DatasetChoice, chooseDataset } from "#cli/choose-dataset.ts";
import { idxFiles } from "#cli/download-dataset.ts";

let folder: string;
let server: Server;
let url: string;
/** Path -> content of what the server has. */
const files = new Map<string, string>();
const requests: string[] = [];

beforeEach(async () => {
  files.clear();
  requests.length = 0;
  folder = await mkdtemp(join(tmpdir(), "mlpipe-dataset-"));
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const content = files.get(request.url ?? "");
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/set/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const progress: string[] = [];
const choose = (choice: Partial<DatasetChoice>) =>
  chooseDataset({
    input: undefined,
    images: 12,
    folder,
    onProgress: (text) => progress.push(text),
    publicUrl: url,
    ...choice,
  });
const offerAll = () => idxFiles.forEach((name) => files.set(`/set/${name}.gz`, `${name} in gzip`));

describe("without an input", () => {
  test("the public set is downloaded once", async () => {
    offerAll();
    const first = await choose({});
    expect(first.description).toContain("Fashion-MNIST");
    expect((await readdir(first.path)).toSorted()).toEqual(idxFiles.map((name) => `${name}.gz`).toSorted());
    requests.length = 0;
    expect((await choose({})).path).toBe(first.path);
    expect(requests).toEqual([]);
  });

  test("a host that does not answer, or breaks off, makes us draw", async () => {
    const silent = await choose({ publicUrl: "http://127.0.0.1:1/" });
    expect(silent.description).toContain("12 training and 2 test garments drawn");
    files.set(`/set/${idxFiles[0]}.gz`, "only one of four");
    const broken = await choose({});
    expect(broken.path).toBe(silent.path);
    expect((await readdir(silent.path)).length).toBe(4);
  });
});

describe("an input", () => {
  test("that is a folder is used as it is", async () => {
    await mkdir(join(folder, "mine"));
    const path = join(folder, "mine");
    expect(await choose({ input: path })).toEqual({ path, description: path });
  });

  test("that only the workspace can read is passed on", async () => {
    expect((await choose({ input: "azureml://datastores/x/paths/y/" })).path).toBe("azureml://datastores/x/paths/y/");
  });

  test("that is a web address is downloaded, with .gz or without", async () => {
    offerAll();
    files.delete(`/set/${idxFiles[1]}.gz`);
    files.set(`/set/${idxFiles[1]}`, "plain labels");
    const { path, description } = await choose({ input: url });
    expect(await readFile(join(path, idxFiles[1]), "utf8")).toBe("plain labels");
    expect(description).toBe(url);
  });

  test("that lacks a file is NotFound, without the address's query", async () => {
    const error: unknown = await choose({ input: `${url}?sig=secret` }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "NotFound",
      message: expect.stringContaining(`neither ${idxFiles[0]}.gz`) as string,
    });
    expect(String(error)).not.toContain("secret");
  });

  test("that is not there, or is a file, is refused", async () => {
    await writeFile(join(folder, "file"), "");
    for (const input of ["nowhere", "file"]) {
      await expect(choose({ input: join(folder, input) })).rejects.toMatchObject({ code: "InvalidRequest" });
    }
  });
});
